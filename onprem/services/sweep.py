"""The sweep: deletes what is due, and ends what waited too long. Safe to run at any time."""

from contextlib import suppress

import msgspec

from onprem.clock import Clock
from onprem.config.settings import Settings
from onprem.core.receipt import DeletionReason
from onprem.errors import QueueExpired
from onprem.runner.finish import Finisher
from onprem.store import jobs, media
from onprem.store.artefacts import ArtefactStore
from onprem.store.database import Database
from onprem.store.jobs import JobMoved


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
        """Each part may be repeated after a crash.

        What is due comes first: deleting needs less room than anything else here.

        Raises:
            StorageFull, StoreBusy: the rest is left to the next sweep.
        """
        now = self._clock.now()
        due = [artefact.id for artefact in await self._artefacts.due(now)]
        receipts = await self._artefacts.delete(due, DeletionReason.DEADLINE, now=now)
        stale = await jobs.stale_requests(self._database)
        receipts += await self._artefacts.delete(stale, DeletionReason.JOB_ENDED, now=now)
        receipts += await media.delete_superseded(self._database, self._artefacts, now=now)
        async with self._database.write() as tx:
            before = now - self._settings.retention.metadata
            forgotten = await jobs.delete_tombstones(tx, finished_before=before)
        expired = await self._end_waiting_jobs()
        await self._database.truncate_log()
        return Swept(len(receipts), expired, forgotten)

    async def _end_waiting_jobs(self) -> int:
        ttl = self._settings.limits.queue_ttl
        ended = 0
        for job in await jobs.waiting_since(self._database, self._clock.now() - ttl):
            with suppress(JobMoved):  # it was claimed in this moment
                await self._finisher.fail(job, QueueExpired(hours=ttl / 3600))
                ended += 1
        return ended
