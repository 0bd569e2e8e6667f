"""The sweep: deletes what is due, and forgets what no promise needs. Safe to run at any time."""

import logging
from collections.abc import Awaitable, Callable

import msgspec

from onprem.clock import Clock, RetentionClock
from onprem.config.settings import Settings
from onprem.core.purge import Plan
from onprem.errors import OnpremError, StorageFull
from onprem.services.compliance import SweepHealth
from onprem.services.ledger_retention import LedgerRetention
from onprem.services.purge_plan import Planner
from onprem.services.removal import Progress, remove
from onprem.store import clock_mark, deliveries, erasure, idempotency, jobs, secrets
from onprem.store.artefacts import ArtefactStore
from onprem.store.database import Database
from onprem.store.redating import date_later

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 30
"""At most 60 s after its deadline nothing is on the disk any more; this leaves room for a retry."""


SWEPT_LATELY = 60.0
"""Seconds after a sweep for which nobody else needs to sweep."""
LEFT_LYING = 25.0
"""What is due for so long was left by whoever swept. The timer comes every 30 s: it still goes
within a minute."""


async def swept_lately(database: Database, artefacts: ArtefactStore, clock: Clock) -> bool:
    """Whether a server, or somebody else, sweeps as it should."""
    last, now = await clock_mark.last_sweep(database), clock.now()
    if last is None or now - last >= SWEPT_LATELY:
        return False
    return not await artefacts.due(now - LEFT_LYING)


class Swept(msgspec.Struct, frozen=True):
    """Counts of one sweep, for the log."""

    deleted: int
    forgotten_jobs: int


class Sweep:
    def __init__(
        self,
        database: Database,
        artefacts: ArtefactStore,
        clock: RetentionClock,
        settings: Settings,
    ) -> None:
        self._database = database
        self._artefacts = artefacts
        self._clock = clock
        self._settings = settings
        self._planner = Planner(database, artefacts, clock)
        self._ledger_retention = LedgerRetention(database, clock, settings.retention)
        self.health = SweepHealth(clock)

    async def run(self) -> Swept:
        """Each part may be repeated after a crash, and none waits for another to succeed.

        What is due comes first: deleting needs less room than anything else here.

        Raises:
            OnpremError, OSError: what a part raised first, after all parts have run.
        """
        await self._catch_up()
        return await self.carry_out(await self._planner.due())

    async def _catch_up(self) -> None:
        """Before anything is judged by it, retention time takes the step that it may have to."""
        step = self._clock.catch_up()
        if step is None:
            return
        async with self._database.write() as tx:
            dated = await date_later(tx, since=step.since, by=step.by)
            await clock_mark.write(tx, self._clock.after(step))
        self._clock.caught_up(step)
        logger.warning(
            "retention time caught up by %.0f s; %d records keep what they had left",
            step.by,
            dated,
        )

    async def carry_out(self, plan: Plan, progress: Progress | None = None) -> Swept:
        """As `run`; what became due since the plan was made waits for the next sweep."""
        now = self._clock.now()
        removed = await remove(
            self._database, self._artefacts, plan.items, now=now, progress=progress
        )
        failures = removed.failures

        async def forget(*parts: Callable[[float], Awaitable[int]]) -> int:
            count = 0
            for part in parts:
                try:
                    count += await part(now)
                except (OnpremError, OSError) as failure:
                    failures.append(failure)
            return count

        forgotten = await forget(self._forget_jobs, self._forget_rest_of_erased)
        await forget(self._forget_digests, self._forget_idempotency_keys, self._forget_secrets)
        await forget(self._forget_entries)
        await self._mark(now, complete=not failures)
        if failures:
            raise failures[0]
        await self._artefacts.empty_log()  # before that nothing is gone for good
        self.health.completed()
        if removed.count:
            logger.info("swept: %d deleted", removed.count)
        return Swept(removed.count, forgotten)

    async def _mark(self, now: float, *, complete: bool) -> None:
        """Whatever resisted, the next boot goes on from here."""
        try:
            async with self._database.write() as tx:
                await clock_mark.write(tx, self._clock.mark())
                if complete:
                    await clock_mark.swept(tx, now)
        except StorageFull:  # what was deleted is deleted nevertheless
            logger.warning("the sweep cannot be noted: the disk is full")

    async def _forget_jobs(self, now: float) -> int:
        before = now - self._settings.retention.metadata
        async with self._database.write() as tx:
            return await jobs.delete_tombstones(tx, finished_before=before)

    async def _forget_rest_of_erased(self, now: float) -> int:
        async with self._database.write() as tx:
            return await erasure.forget_rest(tx)

    async def _forget_idempotency_keys(self, now: float) -> int:
        async with self._database.write() as tx:
            return await idempotency.delete_expired(tx, now=now)

    async def _forget_secrets(self, now: float) -> int:
        async with self._database.write() as tx:
            return await secrets.forget_retired(tx, now=now)

    async def _forget_entries(self, now: float) -> int:
        try:
            return await self._ledger_retention.run(now)
        except StorageFull:  # each step leaves an entry; no promise waits for it
            logger.warning("old entries of the ledger stay: the disk is full")
            return 0

    async def _forget_digests(self, now: float) -> int:
        async with self._database.write() as tx:
            return await deliveries.forget_digests(tx)
