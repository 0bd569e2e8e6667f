"""One run of one job, from its claim to its end. The road of a job can be read here."""

import asyncio
import logging

import msgspec

from onprem.clock import Clock
from onprem.core.cancel import Canceled, CancelReason, CancelToken
from onprem.core.speech import Analysis
from onprem.core.work import Work
from onprem.errors import (
    EngineFailed,
    JobFailure,
    MediaExpired,
    ModelError,
    ModelUnusable,
    OnpremError,
    StorageFull,
    StoreBusy,
    described,
)
from onprem.media.decode import Decoded
from onprem.runner.accelerator import Accelerator
from onprem.runner.finish import CANCELED, RETRY_SECONDS, Finisher, Outcome
from onprem.runner.ports import Engine
from onprem.runner.progress import ProgressBoard
from onprem.runner.source import Source
from onprem.store import jobs
from onprem.store.artefacts import ArtefactStore
from onprem.store.database import Database
from onprem.store.jobs import Job
from onprem.threads import in_thread

logger = logging.getLogger(__name__)


class ActiveRun:
    """A claimed job while it is in work, and the way to stop it."""

    def __init__(self, job: Job, worker_copy: bytes) -> None:
        self.job = job
        self.worker_copy = worker_copy
        """Record of the copy that this run makes; ends with a receipt."""
        self.cancel = CancelToken()
        self.preparing = False
        """Whether the task can be cancelled wherever it awaits: not before it has begun, not
        while the engine computes, and not while the job's end is written."""
        self.attempted = False
        """Whether this run was counted as an attempt."""
        self.shutting_down = False
        """Whether the server stops, also where the job was canceled before."""
        self.task: asyncio.Task[None] | None = None

    def stop(self, reason: CancelReason) -> None:
        """While it prepares, at once; afterwards, at the engine's next cancel point."""
        self.shutting_down |= reason is CancelReason.SHUTDOWN
        if self.cancel.reason is None:
            self.cancel.cancel(reason)
            if self.preparing and self.task is not None:
                self.task.cancel()


class JobRunner:
    """Runs claimed jobs: any number of them prepare at once, one computes."""

    def __init__(
        self,
        database: Database,
        artefacts: ArtefactStore,
        source: Source,
        engine: Engine,
        accelerator: Accelerator,
        finisher: Finisher,
        progress: ProgressBoard,
        clock: Clock,
    ) -> None:
        self._database = database
        self._artefacts = artefacts
        self._source = source
        self._engine = engine
        self._accelerator = accelerator
        self._finisher = finisher
        self._progress = progress
        self._clock = clock

    async def run(self, run: ActiveRun) -> None:
        """Bring the job to a terminal state, or back to the queue on a shutdown.

        The worker copy's memory is freed when `_outcome` returns, before its receipt is written.
        """
        reason = None
        outcome = CANCELED
        run.preparing = True
        try:
            run.cancel.check()
            outcome = await self._outcome(run)
        except Canceled as canceled:
            reason = canceled.reason
        except asyncio.CancelledError:
            reason = run.cancel.reason
            if reason is None:
                raise
        finally:
            run.preparing = False
            self._progress.forget(run.job.id)
        if reason is CancelReason.SHUTDOWN:
            await self._finisher.requeue_interrupted(
                run.job, run.worker_copy, attempted=run.attempted
            )
        else:
            await self._finisher.finish(
                run.job,
                outcome,
                worker_copies=[run.worker_copy],
                give_up=lambda: run.shutting_down,
            )

    async def _outcome(self, run: ActiveRun) -> Outcome:
        try:
            return await self._work(run)
        except JobFailure as failure:
            return Outcome.failed(failure)
        except Canceled:
            raise
        except ModelError as error:
            logger.error("job %s failed: %s", run.job.id, error.sentence)
            return Outcome.failed(ModelUnusable(code=error.code))
        except OnpremError as error:
            logger.error("job %s failed: %s", run.job.id, error.sentence)
            return Outcome.failed(EngineFailed(kind=error.code))
        except Exception as error:  # noqa: BLE001 - one bad job must not stop the others
            logger.error("job %s failed unexpectedly: %s", run.job.id, described(error))
            return Outcome.failed(EngineFailed(kind=type(error).__name__))

    async def _work(self, run: ActiveRun) -> Outcome:
        job = run.job
        work = await self._read_work(job)
        self._progress.report(job.id, "decode" if job.media_id else "fetch", 0.0)
        async with self._source.samples(job, work.request.url) as decoded:
            async with self._accelerator.turn:
                run.preparing = False
                await self._count_attempt(run)
                analysis = await self._accelerator.run(lambda: self._analyse(run, work, decoded))
        if run.cancel.reason is CancelReason.USER:
            raise Canceled(CancelReason.USER)
        return await in_thread(_succeeded, work, analysis, _remarks(decoded))

    async def _count_attempt(self, run: ActiveRun) -> None:
        """Waits for as long as the disk is full or the database busy."""
        while True:
            run.cancel.check()
            try:
                async with self._database.write() as tx:
                    await jobs.count_attempt(tx, run.job.id)
                run.attempted = True
                return
            except (StorageFull, StoreBusy) as error:
                logger.warning("job %s cannot begin yet: %s", run.job.id, error.code)
                await asyncio.sleep(RETRY_SECONDS)

    async def _read_work(self, job: Job) -> Work:
        now = self._clock.now()
        raw = None
        if job.request_id is not None:
            raw = await self._artefacts.read(job.request_id, now=now)
        if raw is None:
            raise MediaExpired()
        return msgspec.json.decode(raw, type=Work)

    def _analyse(self, run: ActiveRun, work: Work, decoded: Decoded) -> Analysis:
        """On the accelerator thread."""

        def report(stage: str, fraction: float) -> None:
            self._progress.report(run.job.id, stage, fraction)

        with decoded.pcm.view() as pcm:
            return self._engine.analyse(work.task(), pcm, report, run.cancel)


def _succeeded(work: Work, analysis: Analysis, remarks: list[str]) -> Outcome:
    """Hours of speech are many words: this takes too long for the event loop."""
    return Outcome.succeeded(work.output(analysis, remarks), analysis.engine)


def _remarks(decoded: Decoded) -> list[str]:
    if decoded.damaged_packets:
        return [f"{decoded.damaged_packets} damaged packets of the recording were left out."]
    return []
