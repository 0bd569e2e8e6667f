"""What a start puts in order after a crash: slots, blobs and rows agree again."""

from onprem.core.receipt import DeletionReason
from onprem.store.artefacts import ArtefactStore
from onprem.store.blobs import BlobFolder
from onprem.store.database import Database
from onprem.store.slots import SlotFile
from onprem.threads import in_thread


async def reconcile(
    database: Database,
    artefacts: ArtefactStore,
    slots: SlotFile,
    blobs: BlobFolder,
    *,
    now: float,
) -> int:
    """Erase what has no row, finish deletions that broke off. Returns how many it mended.

    The caller holds the data directory's exclusive lock: an upload in progress has a blob and
    no row, and must not be taken for a left-over.
    """
    rows = await database.fetchall("SELECT id, slot FROM artefact WHERE slot IS NOT NULL")
    expected = {slot: record for record, slot in rows}
    occupants = await in_thread(slots.occupants)
    strays = [(slot, record) for slot, record in occupants.items() if expected.get(slot) != record]
    for slot, record in strays:
        await in_thread(slots.erase, slot, record)
    orphans = await in_thread(blobs.records) - {record for record, _ in rows}
    for record in orphans:
        await in_thread(blobs.remove, record)
    dead = [record for slot, record in expected.items() if occupants.get(slot) != record]
    await artefacts.delete(dead, DeletionReason.CRASH, now=now)
    await database.truncate_log()
    return len(strays) + len(orphans) + len(dead)
