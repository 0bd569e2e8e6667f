"""What happens by the clock: the sweep, every half minute."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta

from apscheduler.job import Job
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from onprem.errors import described
from onprem.services.sweep import Sweep

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 30
"""At most 60 s after its deadline nothing is on the disk any more; this leaves room for a retry."""


class Schedule:
    """APScheduler, woken after a step of the clock, and stopped between two sweeps."""

    def __init__(self, sweep: Sweep) -> None:
        self._sweep = sweep
        self._sweeping = asyncio.Lock()
        self._scheduler = AsyncIOScheduler()
        self.job: Job = self._scheduler.add_job(
            self.run_sweep,
            "interval",
            seconds=SWEEP_SECONDS,
            # A run that is late is still run, once however many were missed.
            misfire_grace_time=None,
            coalesce=True,
            max_instances=1,
        )

    def start(self) -> None:
        self._scheduler.start()
        self._waker = asyncio.create_task(self._keep_awake(), name="waker")

    async def stop(self) -> None:
        """Returns when no sweep is in work."""
        self._waker.cancel()
        self._scheduler.pause()
        async with self._sweeping:
            self._scheduler.shutdown(wait=False)

    async def run_sweep(self) -> None:
        """A sweep that fails is repeated by the next one; nothing counts as deleted before its
        receipt is written."""
        async with self._sweeping:
            try:
                swept = await self._sweep.run()
            except Exception as error:  # noqa: BLE001 - whatever it was, the next one must run
                logger.error("the sweep did not finish: %s", described(error))
                return
        if swept.deleted or swept.expired_jobs:
            logger.info("swept: %d deleted, %d jobs expired", swept.deleted, swept.expired_jobs)

    async def _keep_awake(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)  # by the monotonic clock
            self.wake()

    def wake(self) -> None:
        """Undo a backward step of the wall clock, after which APScheduler would sleep until the
        clock shows again what it showed before."""
        now = datetime.now(UTC)
        if self.job.next_run_time > now + timedelta(seconds=SWEEP_SECONDS):
            logger.warning("the clock went back; the sweep runs now")
            self.job.modify(next_run_time=now)
