"""The access log: an entry before content leaves the server."""

from onprem.clock import Clock
from onprem.core.access import Access
from onprem.core.chain import Entry
from onprem.stamp import Stamp
from onprem.store.chain import ACCESS_LOG
from onprem.store.database import Database, Transaction

READ = "read"


async def append(
    tx: Transaction, stamp: Stamp, access: Access, *, job_id: str | None = None
) -> None:
    """In the transaction that finds what is read."""
    await ACCESS_LOG.append(tx, stamp, READ, access, job_id=job_id)


async def of_job(database: Database, job_id: str, media_id: bytes | None) -> list[Entry]:
    """Accesses to what is a job's, and to the media version, whoever's job it was read for."""
    where, values = "job_id = ?", [job_id]
    if media_id is not None:
        where, values = f"{where} OR substr(body, 16, 32) = ?", [job_id, media_id.hex()]
    return await ACCESS_LOG.entries(database, where=where, values=tuple(values))


async def note(
    database: Database, clock: Clock, access: Access, *, job_id: str | None = None
) -> None:
    """Content that cannot be noted is not handed out.

    Raises:
        StorageFull, StoreBusy
    """
    async with database.write() as tx:
        await append(tx, clock.stamp(), access, job_id=job_id)
