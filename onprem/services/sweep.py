"""The sweep: deletes what is due, and ends what waited too long. Safe to run at any time."""

from collections.abc import Awaitable, Callable
from contextlib import suppress

import msgspec

from onprem.clock import Clock
from onprem.config.settings import Settings
from onprem.core.receipt import DeletionReason
from onprem.errors import OnpremError, QueueExpired
from onprem.runner.finish import Finisher
from onprem.store import deliveries, idempotency, jobs, media, queue, secrets
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
        """Each part may be repeated after a crash, and none waits for another to succeed.

        What is due comes first: deleting needs less room than anything else here.

        Raises:
            OnpremError, OSError: what a part raised first, after all parts have run.
        """
        now = self._clock.now()
        failures: list[OnpremError | OSError] = []

        async def run(*parts: Callable[[float], Awaitable[int]]) -> int:
            count = 0
            for part in parts:
                try:
                    count += await part(now)
                except (OnpremError, OSError) as failure:
                    failures.append(failure)
            return count

        deleted = await run(
            self._delete_due,
            self._delete_rest_of_deleted_jobs,
            self._delete_stale_requests,
            self._delete_idle_destinations,
            self._delete_superseded_media,
        )
        forgotten = await run(self._forget_jobs)
        await run(self._forget_digests, self._forget_idempotency_keys, self._forget_secrets)
        ended = await run(self._end_waiting_jobs)
        await self._database.truncate_log()
        if failures:
            raise failures[0]
        return Swept(deleted, ended, forgotten)

    async def _delete_due(self, now: float) -> int:
        due = [artefact.id for artefact in await self._artefacts.due(now)]
        return len(await self._artefacts.delete(due, DeletionReason.DEADLINE, now=now))

    async def _delete_rest_of_deleted_jobs(self, now: float) -> int:
        rest = await jobs.stored_of_deleted(self._database)
        return len(await self._artefacts.delete(rest, DeletionReason.REQUESTED, now=now))

    async def _delete_stale_requests(self, now: float) -> int:
        stale = await jobs.stale_requests(self._database)
        return len(await self._artefacts.delete(stale, DeletionReason.JOB_ENDED, now=now))

    async def _delete_idle_destinations(self, now: float) -> int:
        idle = await deliveries.idle_destinations(self._database)
        deleted = await self._artefacts.delete(idle, DeletionReason.DELIVERIES_ENDED, now=now)
        return len(deleted)

    async def _delete_superseded_media(self, now: float) -> int:
        return len(await media.delete_superseded(self._database, self._artefacts, now=now))

    async def _forget_jobs(self, now: float) -> int:
        before = now - self._settings.retention.metadata
        async with self._database.write() as tx:
            return await jobs.delete_tombstones(tx, finished_before=before)

    async def _forget_idempotency_keys(self, now: float) -> int:
        async with self._database.write() as tx:
            return await idempotency.delete_expired(tx, now=now)

    async def _forget_secrets(self, now: float) -> int:
        async with self._database.write() as tx:
            return await secrets.forget_retired(tx, now=now)

    async def _forget_digests(self, now: float) -> int:
        async with self._database.write() as tx:
            return await deliveries.forget_digests(tx)

    async def _end_waiting_jobs(self, now: float) -> int:
        ttl = self._settings.limits.queue_ttl
        ended = 0
        for job in await queue.waiting_since(self._database, now - ttl):
            with suppress(JobMoved):  # it was claimed in this moment
                await self._finisher.fail(job, QueueExpired(hours=ttl / 3600))
                ended += 1
        return ended
