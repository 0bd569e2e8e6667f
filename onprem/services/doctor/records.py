"""The deep look: every record is opened with its key, and what it says is thrown away."""

from collections.abc import AsyncIterator

from onprem.errors import DataDirectoryDamaged
from onprem.services.doctor import catalogue
from onprem.services.doctor.finding import Finding
from onprem.store import inspection
from onprem.store.artefacts import Artefact, label
from onprem.store.blobs import BlobFolder
from onprem.store.data_directory import DataDirectory
from onprem.store.database import Database
from onprem.store.inspection import LiveArtefact
from onprem.store.master_key import MasterKey
from onprem.store.seal import open_segments, unseal
from onprem.store.slots import SlotFile
from onprem.threads import in_thread


async def records(
    database: Database, directory: DataDirectory, master: MasterKey, live: list[LiveArtefact]
) -> AsyncIterator[Finding]:
    """What is deleted meanwhile, or missing, is not looked at: the invariants know about it."""
    slots = SlotFile(directory.slots, master.derive("record keys"), 0, writable=False)
    blobs = BlobFolder(directory.blobs)
    try:
        for each in live:
            if each.artefact.slot is None:
                continue
            sealed = await inspection.ciphertext(database, each.artefact.id)
            if sealed is None and each.inline_bytes is not None:
                continue
            try:
                await in_thread(_open, each.artefact, each.artefact.slot, sealed, slots, blobs)
            except FileNotFoundError:
                continue
            except DataDirectoryDamaged:
                yield catalogue.RECORD_UNREADABLE.found(record=each.artefact.id.hex())
    finally:
        slots.close()


def _open(
    artefact: Artefact, slot: int, sealed: bytes | None, slots: SlotFile, blobs: BlobFolder
) -> None:
    """Raises DataDirectoryDamaged."""
    key = slots.read(slot, artefact.id)
    if key is None:
        return
    name = label(artefact.kind, artefact.id)
    if sealed is not None:
        unseal(key, name, sealed)
        return
    for _ in open_segments(key, name, blobs.segments(artefact.id)):
        pass
