"""Reading the ledger and the access log: page by page, and where they stand."""

import msgspec

from onprem.core.access import Access
from onprem.core.chain import Entry
from onprem.core.ledger import EntryKind
from onprem.errors import NotFound
from onprem.services.signing import Signer
from onprem.store import access_log, checkpoints, jobs, ledger
from onprem.store.chain import LEDGER, Tip
from onprem.store.checkpoints import StoredCheckpoint
from onprem.store.database import Database


class LedgerPage(msgspec.Struct, frozen=True):
    """Some entries, the newest first. `next_before`: the number to go on from; None: no more."""

    entries: list[Entry]
    next_before: int | None


class LedgerState(msgspec.Struct, frozen=True):
    """Where the ledger stands. `floor` is the last entry that outlived its retention."""

    installation: str
    public_key: bytes
    tip: Tip
    floor: Tip
    last_checkpoint: StoredCheckpoint | None


class Accessed(msgspec.Struct, frozen=True):
    """One access to content, and when: `at` is retention time, `wall` what the clock showed."""

    number: int
    at: float
    wall: float
    access: Access


class LedgerReading:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self,
        *,
        limit: int,
        before: int | None = None,
        kind: EntryKind | None = None,
        job_id: str | None = None,
    ) -> LedgerPage:
        found = await ledger.newest(
            self._database, limit=limit + 1, before=before, kind=kind, job_id=job_id
        )
        more = len(found) > limit
        return LedgerPage(found[:limit], found[limit - 1].seq if more else None)

    async def state(self, signer: Signer) -> LedgerState:
        return LedgerState(
            signer.installation,
            signer.public_key,
            await LEDGER.tip(self._database),
            await LEDGER.floor(self._database),
            await checkpoints.last(self._database),
        )

    async def accesses(self, job_id: str) -> list[Accessed]:
        """Who read what of a job, and of the media version that it is bound to, in their order.

        The media is known as long as the job's tombstone is kept.

        Raises:
            NotFound: nothing is known of such a job, in no chain either.
        """
        owner = await jobs.project_of(self._database, job_id)
        job = None
        if owner is not None:
            job = await jobs.get(self._database, job_id, owner, deleted=True)
        media_id = None if job is None else job.media_id
        found = await access_log.of_job(self._database, job_id, media_id)
        if not found and job is None:
            if not await ledger.newest(self._database, limit=1, job_id=job_id):
                raise NotFound(what="job")
        return [
            Accessed(
                entry.seq,
                entry.stamp.at,
                entry.stamp.wall,
                msgspec.json.decode(entry.body, type=Access),
            )
            for entry in found
        ]
