"""What a start puts in order after a crash: slots, blobs and rows agree again."""

import logging
from collections.abc import Awaitable, Callable

from onprem.core.receipt import DeletionReason
from onprem.errors import PurgeIncomplete, described
from onprem.store.artefacts import ArtefactStore
from onprem.store.blobs import BlobFolder
from onprem.store.database import Database
from onprem.store.delete_each import RECORD_FAULTS
from onprem.store.slots import SlotFile
from onprem.threads import in_thread

logger = logging.getLogger(__name__)


async def reconcile(
    database: Database,
    artefacts: ArtefactStore,
    slots: SlotFile,
    blobs: BlobFolder,
    *,
    now: float,
) -> int:
    """Erase what has no row, finish deletions that broke off. Returns how many it mended.

    What resists is logged and left to the next start: it must not keep the server, and with it
    all other deletions, from running.

    The caller holds the data directory's exclusive lock: an upload in progress has a blob and
    no row, and must not be taken for a left-over.
    """
    rows = await database.fetchall("SELECT id, slot FROM artefact WHERE slot IS NOT NULL")
    expected = {slot: record for record, slot in rows}
    occupants = await in_thread(slots.occupants)
    strays = [(slot, record) for slot, record in occupants.items() if expected.get(slot) != record]
    orphans = await in_thread(blobs.records) - {record for record, _ in rows}
    dead = [record for slot, record in expected.items() if occupants.get(slot) != record]
    mended = [await _taken_away(slots.erase, slot, record) for slot, record in strays]
    mended += [await _taken_away(blobs.remove, record) for record in orphans]
    await _completed(artefacts.delete(dead, DeletionReason.CRASH, now=now))
    await _completed(artefacts.empty_log())
    left = {row[0] for row in await database.fetchall("SELECT id FROM artefact")}
    return sum(mended) + len(set(dead) - left)


async def _completed(step: Awaitable[object]) -> None:
    try:
        await step
    except (*RECORD_FAULTS, PurgeIncomplete) as error:
        logger.error("deletions that broke off are not complete yet: %s", described(error))


async def _taken_away(take_away: Callable[..., bool], *arguments: object) -> bool:
    try:
        return await in_thread(take_away, *arguments)
    except RECORD_FAULTS as error:
        logger.error("a left-over cannot be taken away: %s", described(error))
        return False
