"""The end of a job: output, status, deadline and the worker copy's receipt in one transaction."""

import asyncio
import logging
from collections.abc import Callable

import msgspec

from onprem.clock import Clock
from onprem.core.job import JobStatus
from onprem.core.output import FailedOutput
from onprem.core.receipt import ArtefactKind, DeletionReason
from onprem.core.speech import ModelRef
from onprem.errors import JobFailure, OnpremError, described
from onprem.store import jobs
from onprem.store.artefacts import ArtefactStore
from onprem.store.database import Database
from onprem.store.jobs import Job

logger = logging.getLogger(__name__)

RETRY_SECONDS = 2.0
"""Pause before an end that could not be written is written again."""


class Outcome(msgspec.Struct, frozen=True):
    """How a job ended."""

    status: JobStatus
    output: bytes | None = None
    error_code: str | None = None
    engine: dict[str, ModelRef] | None = None

    @classmethod
    def succeeded(cls, output: msgspec.Struct, engine: dict[str, ModelRef]) -> "Outcome":
        return cls(JobStatus.SUCCEEDED, msgspec.json.encode(output), engine=engine)

    @classmethod
    def failed(cls, failure: JobFailure) -> "Outcome":
        body = msgspec.json.encode(FailedOutput(failure.sentence))
        return cls(JobStatus.FAILED, body, error_code=failure.code)


CANCELED = Outcome(JobStatus.CANCELED)


class Finisher:
    """Writes outcomes. `output_lifetime` in seconds from the job's end."""

    def __init__(
        self, database: Database, artefacts: ArtefactStore, clock: Clock, output_lifetime: float
    ) -> None:
        self._database = database
        self._artefacts = artefacts
        self._clock = clock
        self._output_lifetime = output_lifetime

    async def fail(self, job: Job, failure: JobFailure) -> None:
        """End a job that waits, and so holds no worker copy. Tries once; raises as `end`."""
        await self.end(job, Outcome.failed(failure), [], DeletionReason.JOB_ENDED)

    async def finish(
        self,
        job: Job,
        outcome: Outcome,
        *,
        worker_copies: list[bytes],
        give_up: Callable[[], bool],
    ) -> None:
        """As `end`, and tries again while the disk is full or fails, or the database is busy.

        Once `give_up` says so the job stays as it was, for the next start to find. Raises only
        JobMoved.
        """
        while True:
            try:
                await self.end(job, outcome, worker_copies, DeletionReason.JOB_ENDED)
                return
            except (OnpremError, OSError) as error:
                if give_up():
                    logger.info("job %s is left to the next start", job.id)
                    return
                logger.warning("job %s cannot be ended yet: %s", job.id, described(error))
                await asyncio.sleep(RETRY_SECONDS)

    async def requeue_interrupted(self, job: Job, worker_copy: bytes, *, attempted: bool) -> None:
        """Put a job back whose run a shutdown ended: the run does not count against it."""
        await self._requeue(job, [worker_copy], DeletionReason.INTERRUPTED, 1, int(attempted))

    async def requeue_crashed(self, job: Job, worker_copies: list[bytes]) -> None:
        """Put a job back that the last process died with: the run counts."""
        await self._requeue(job, worker_copies, DeletionReason.CRASH, 0, 0)

    async def _requeue(
        self,
        job: Job,
        worker_copies: list[bytes],
        reason: DeletionReason,
        claims_back: int,
        attempts_back: int,
    ) -> None:
        """The copies in memory are gone already."""
        now = self._clock.now()
        async with self._database.write() as tx:
            for copy in worker_copies:
                await self._artefacts.delete_within(tx, copy, reason, now=now)
            await jobs.requeue(
                tx, job, claims_back=claims_back, attempts_back=attempts_back, now=now
            )
        logger.info("job %s waits again", job.id)

    async def end(
        self, job: Job, outcome: Outcome, worker_copies: list[bytes], reason: DeletionReason
    ) -> None:
        """Write `outcome`, then delete the request.

        The memory of the worker copies is free already: their receipts, with `reason`, are part
        of the transaction.

        Raises:
            OnpremError, OSError: the job is as it was.
            JobMoved: it is no more as `job` says.
        """
        await self._write(job, outcome, worker_copies, reason)
        logger.info("job %s %s %s", job.id, outcome.status, outcome.error_code or "")
        if job.request_id is None:
            return
        try:
            await self._artefacts.delete(
                [job.request_id], DeletionReason.JOB_ENDED, now=self._clock.now()
            )
        except (OnpremError, OSError) as error:
            logger.warning("the request of job %s waits for a sweep: %s", job.id, described(error))

    async def _write(
        self, job: Job, outcome: Outcome, worker_copies: list[bytes], reason: DeletionReason
    ) -> None:
        now = self._clock.now()
        due_at = now + self._output_lifetime
        output_id = None
        async with self._database.write() as tx:
            if outcome.output is not None:
                output_id = await self._artefacts.keep(
                    tx,
                    ArtefactKind.OUTPUT,
                    outcome.output,
                    project_id=job.project_id,
                    job_id=job.id,
                    now=now,
                    due_at=due_at,
                )
            await jobs.finish(
                tx,
                job,
                outcome.status,
                now=now,
                output_id=output_id,
                output_due_at=due_at if output_id else None,
                error_code=outcome.error_code,
                engine=outcome.engine,
            )
            for copy in worker_copies:
                await self._artefacts.delete_within(tx, copy, reason, now=now)
