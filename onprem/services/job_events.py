"""Following a job until it has ended."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress

import msgspec

from onprem.core.job import TERMINAL, JobStatus
from onprem.errors import NotFound
from onprem.runner.progress import Progress, ProgressBoard
from onprem.services.jobs import Jobs
from onprem.services.keys import Principal

LEAST_SECONDS = 1.0
"""Between two events of one job."""
QUIET_SECONDS = 5.0
"""The longest silence. Also finds what another process did to the job, which rings no bell."""


class JobEvent(msgspec.Struct, frozen=True):
    """How far a job is. `eta` is when it is likely to be done, in seconds since the epoch."""

    status: JobStatus
    progress: Progress | None = None
    queue_position: int | None = None
    eta: float | None = None


class JobEvents:
    def __init__(self, jobs: Jobs, progress: ProgressBoard) -> None:
        self._jobs = jobs
        self._progress = progress

    async def follow(
        self, principal: Principal, job_id: str
    ) -> AsyncGenerator[JobEvent | None, None]:
        """The state now, then each change, and a terminal state at last; None: nothing new.

        A job that is deleted meanwhile ends as canceled. Also ends when the server stops.
        """
        shown: JobEvent | None = None
        with self._progress.watched(job_id) as bell:
            while not self._progress.closed:
                bell.clear()
                event = await self._event(principal, job_id)
                if shown is not None and _same(event, shown):
                    yield None
                else:
                    yield event
                    shown = event
                if event.status in TERMINAL:
                    return
                with suppress(TimeoutError):
                    await asyncio.wait_for(bell.wait(), QUIET_SECONDS)
                    if not self._progress.closed:
                        await asyncio.sleep(LEAST_SECONDS)

    async def _event(self, principal: Principal, job_id: str) -> JobEvent:
        try:
            state = await self._jobs.state(principal, job_id)
        except NotFound:
            return JobEvent(JobStatus.CANCELED)
        return JobEvent(state.job.status, state.progress, state.queue_position, state.eta)


def _same(one: JobEvent, other: JobEvent) -> bool:
    """Whether they say the same; the eta moves with each moment."""
    return msgspec.structs.replace(one, eta=other.eta) == other
