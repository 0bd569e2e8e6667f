"""What happens by the clock, such as the sweep every half minute."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from apscheduler.job import Job
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from onprem.errors import described

logger = logging.getLogger(__name__)

WAKE_SECONDS = 30


class Task(NamedTuple):
    """What runs every so many seconds, one run at a time; the next repeats one that failed."""

    name: str
    seconds: float
    run: Callable[[], Awaitable[object]]


class Schedule:
    """APScheduler, woken after a step of the clock, and stopped between two runs of each task."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._scheduler = AsyncIOScheduler()
        self._in_work = {task.name: asyncio.Lock() for task in tasks}
        self.jobs: dict[str, Job] = {task.name: self._added(task) for task in tasks}
        self._seconds = {task.name: task.seconds for task in tasks}

    def _added(self, task: Task) -> Job:
        return self._scheduler.add_job(
            self._run,
            "interval",
            [task],
            id=task.name,
            seconds=task.seconds,
            # A run that is late is still run, once however many were missed.
            misfire_grace_time=None,
            coalesce=True,
            max_instances=1,
        )

    def start(self) -> None:
        self._scheduler.start()
        self._waker = asyncio.create_task(self._keep_awake(), name="waker")

    async def stop(self) -> None:
        """Returns when nothing is in work."""
        self._waker.cancel()
        self._scheduler.pause()
        for lock in self._in_work.values():
            await lock.acquire()
        self._scheduler.shutdown(wait=False)

    async def _run(self, task: Task) -> None:
        async with self._in_work[task.name]:
            try:
                await task.run()
            except Exception as error:  # noqa: BLE001 - whatever it was, the next one must run
                logger.error("the %s did not finish: %s", task.name, described(error))

    async def _keep_awake(self) -> None:
        while True:
            await asyncio.sleep(WAKE_SECONDS)  # by the monotonic clock
            self.wake()

    def wake(self) -> None:
        """Undo a backward step of the wall clock, after which APScheduler would sleep until the
        clock shows again what it showed before."""
        now = datetime.now(UTC)
        for name, job in self.jobs.items():
            if job.next_run_time > now + timedelta(seconds=self._seconds[name]):
                logger.warning("the clock went back; the %s runs now", name)
                job.modify(next_run_time=now)
