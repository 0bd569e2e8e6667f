"""All rules over one picture of the store, and over its chains."""

from collections.abc import Collection

from onprem.services.invariants import deadlines, deliveries, files, jobs, receipts, regions
from onprem.services.invariants.deletions import Deletions
from onprem.services.invariants.violation import Violation
from onprem.store import inspection
from onprem.store.chain import ACCESS_LOG, LEDGER, Chain
from onprem.store.data_directory import DataDirectory
from onprem.store.database import Database
from onprem.store.inspection import Picture

METADATA_SECONDS = 30 * 24 * 3600.0
"""How long a job leaves its tombstone, where nothing else is configured."""


async def check_invariants(
    directory: DataDirectory,
    now: float,
    *,
    allowed_attempts: int = 10,
    eu_regions: Collection[str] = (),
) -> list[str]:
    """Every violation as a sentence; empty: all promises hold.

    For a directory that no server runs on, after a start has recovered it.
    """
    async with inspection.opened(directory) as database:
        found = await violations(
            database,
            directory,
            now,
            serving=False,
            allowed_attempts=allowed_attempts,
            eu_regions=eu_regions,
        )
    return [str(each) for each in found]


async def violations(
    database: Database,
    directory: DataDirectory,
    now: float,
    *,
    serving: bool,
    allowed_attempts: int = 10,
    eu_regions: Collection[str] = (),
    metadata: float = METADATA_SECONDS,
) -> list[Violation]:
    """With `serving`, what a server has in work is no violation, and no violation a left-over.

    `metadata`: seconds for which jobs leave a tombstone.
    """
    if damage := await inspection.damage(database, by_table=serving):
        return [Violation("I7", line) for line in damage]  # what its rows say cannot be trusted
    picture = await inspection.take_picture(database, directory)
    floor = await inspection.oldest_entry(database)
    meant = {job.id: job.region for job in picture.jobs}
    deletions = Deletions(_named(picture))
    found = await _broken(database, LEDGER, "the ledger")
    found += await _broken(database, ACCESS_LOG, "the access log")
    async for batch in inspection.receipts(database, last_entry=picture.last_entry):
        found += deletions.take(batch)
        found += regions.elsewhere(batch, meant, eu_regions)
    found += jobs.lives(picture.jobs, allowed_attempts, serving=serving)
    found += jobs.promised(picture, now, metadata)
    found += deadlines.kept(picture, deletions, now, serving=serving)
    found += receipts.live_or_receipted(picture, deletions, floor)
    found += receipts.worker_copies(picture, now, serving=serving)
    found += deliveries.told(picture, now, serving=serving)
    found += deliveries.forgotten(picture, deletions, now)
    found += files.slots(picture, deletions, now)
    found += files.files(directory, picture, serving=serving)
    return found


def _named(picture: Picture) -> set[bytes]:
    """Records that a row, a job or a key slot names."""
    records = {each.artefact.id for each in picture.live}
    records |= {record for job in picture.jobs for record in job.held if record is not None}
    slots = picture.files.slots
    return records if slots is None else records | set(slots.occupants.values())


async def _broken(database: Database, chain: Chain, name: str) -> list[Violation]:
    entry = await chain.first_broken(database)
    if entry is not None:  # looked at again: its oldest entries may have been pruned meanwhile
        entry = await chain.first_broken(database)
    return [] if entry is None else [Violation("I4", f"{name} is broken at entry {entry}")]
