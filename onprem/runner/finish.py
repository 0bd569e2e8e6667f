"""The end of a job: output, status, deadline and the worker copy's receipt in one transaction."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable

import msgspec

from onprem.clock import Clock
from onprem.core.delivery import DESTINATION_SECONDS
from onprem.core.job import JobKind, JobStatus
from onprem.core.output import FailedOutput
from onprem.core.receipt import ArtefactKind, DeletionReason
from onprem.core.speech import ModelRef
from onprem.errors import JobFailure, OnpremError, described
from onprem.runner.wake import Wake
from onprem.store import jobs, queue
from onprem.store.artefacts import ArtefactStore
from onprem.store.database import Database, Transaction
from onprem.store.jobs import Job, JobMoved

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
    """Writes outcomes."""

    def __init__(self, database: Database, artefacts: ArtefactStore, clock: Clock) -> None:
        self._database = database
        self._artefacts = artefacts
        self._clock = clock
        self.ended = Wake()
        """Rung when a job has ended: there may be something to deliver."""
        self.outcomes: Counter[tuple[JobKind, JobStatus]] = Counter()
        """How many jobs this process ended."""

    def tell(self, job: Job, status: JobStatus) -> None:
        """It is written that `job` ended as `status`."""
        self.outcomes[job.kind, status] += 1
        self.ended.set()

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
        """As `end`, or only the copies' receipts for a job that was canceled meanwhile.

        Tries again while the disk is full or fails, or the database is busy. Once `give_up` says
        so the job stays as it was, for the next start to find.
        """

        async def write() -> None:
            await self.end(job, outcome, worker_copies, DeletionReason.JOB_ENDED)

        await self._insist(job, write, worker_copies, give_up)

    async def put_back(
        self, job: Job, worker_copy: bytes, *, duration: float, give_up: Callable[[], bool]
    ) -> None:
        """Let a job wait on that got no place for a recording of `duration` seconds.

        The run counts for nothing. Tries again as `finish` does.
        """

        async def write() -> None:
            now = self._clock.now()
            async with self._database.write() as tx:
                await self._receipt(tx, [worker_copy], DeletionReason.INTERRUPTED, now)
                await queue.put_back(tx, job, duration=duration, now=now)
            logger.info("job %s waits for a place for %.0f s of audio", job.id, duration)

        await self._insist(job, write, [worker_copy], give_up)

    async def _insist(
        self,
        job: Job,
        write: Callable[[], Awaitable[None]],
        worker_copies: list[bytes],
        give_up: Callable[[], bool],
    ) -> None:
        while True:
            try:
                try:
                    await write()
                except JobMoved:
                    await self._release(job, worker_copies)
                return
            except (OnpremError, OSError) as error:
                if give_up():
                    logger.info("job %s is left to the next start", job.id)
                    return
                logger.warning("job %s cannot be ended yet: %s", job.id, described(error))
                await asyncio.sleep(RETRY_SECONDS)

    async def _release(self, job: Job, worker_copies: list[bytes]) -> None:
        """The end of a run whose job was canceled: what it found is not kept."""
        async with self._database.write() as tx:
            await self._receipt(tx, worker_copies, DeletionReason.JOB_ENDED, self._clock.now())
        logger.info("job %s has stopped", job.id)

    async def requeue_interrupted(self, job: Job, worker_copy: bytes, *, attempted: bool) -> None:
        """Put a job back whose run a shutdown ended: the run does not count against it."""
        try:
            await self._requeue(job, [worker_copy], DeletionReason.INTERRUPTED, 1, int(attempted))
        except JobMoved:
            await self._release(job, [worker_copy])

    async def requeue_crashed(self, job: Job, worker_copies: list[bytes]) -> None:
        """Put a job back that the last process died with: the run counts. Raises JobMoved."""
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
            await self._receipt(tx, worker_copies, reason, now)
            await queue.requeue(
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
        self.tell(job, outcome.status)
        await self.drop_request(job)

    async def drop_request(self, job: Job) -> None:
        """Delete the request of a job that has ended, now or in the next sweep."""
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
        async with self._database.write() as tx:
            await self.conclude(tx, job, outcome, now=now)
            await self._receipt(tx, worker_copies, reason, now)

    async def conclude(self, tx: Transaction, job: Job, outcome: Outcome, *, now: float) -> None:
        """Write `outcome` in the caller's transaction. Raises JobMoved, and as `keep`."""
        due_at = now + job.output_life
        output_id = None
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
        if job.destination_id is not None:
            kept_until = now + max(job.output_life, DESTINATION_SECONDS)
            await self._artefacts.bring_forward(tx, job.destination_id, due_at=kept_until)
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

    async def _receipt(
        self, tx: Transaction, worker_copies: list[bytes], reason: DeletionReason, now: float
    ) -> None:
        for copy in worker_copies:
            await self._artefacts.delete_within(tx, copy, reason, now=now)
