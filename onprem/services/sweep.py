"""The sweep: deletes what is due, and ends what waited too long. Safe to run at any time."""

import msgspec

from onprem.clock import Clock
from onprem.config.settings import Settings
from onprem.core.receipt import DeletionReason
from onprem.errors import QueueExpired
from onprem.runner.finish import Finisher
from onprem.store import jobs, media
from onprem.store.artefacts import ArtefactStore
from onprem.store.database import Database


class Swept(msgspec.Struct, frozen=True):
    """Counts of one sweep, for the log."""

    deleted: int
    expired_jobs: int
    forgotten_jobs: int


class Sweep:
    def __init__(
        self,
        database: Database,
        artefacts: ArtefactStore,
        finisher: Finisher,
        clock: Clock,
        settings: Settings,
    ) -> None:
        self._database = database
        self._artefacts = artefacts
        self._finisher = finisher
        self._clock = clock
        self._settings = settings

    async def run(self) -> Swept:
        """Each part stands alone, and may be repeated after a crash."""
        expired = await self._end_waiting_jobs()
        now = self._clock.now()
        due = [artefact.id for artefact in await self._artefacts.due(now)]
        receipts = await self._artefacts.delete(due, DeletionReason.DEADLINE, now=now)
        stale = await jobs.stale_requests(self._database)
        receipts += await self._artefacts.delete(stale, DeletionReason.JOB_ENDED, now=now)
        old = await media.superseded(self._database)
        receipts += await self._artefacts.delete(old, DeletionReason.REPLACED, now=now)
        async with self._database.write() as tx:
            before = now - self._settings.retention.metadata
            forgotten = await jobs.delete_tombstones(tx, finished_before=before)
        return Swept(len(receipts), expired, forgotten)

    async def _end_waiting_jobs(self) -> int:
        ttl = self._settings.limits.queue_ttl
        waiting = await jobs.waiting_since(self._database, self._clock.now() - ttl)
        for job in waiting:
            await self._finisher.fail(job, QueueExpired(hours=ttl / 3600))
        return len(waiting)
