"""One run of one job, from its claim to its end. The road of a job can be read here."""

import asyncio
import logging
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import partial

import msgspec

from onprem.clock import Clock
from onprem.core.cancel import Canceled, CancelReason
from onprem.core.enrolment import BOUNDS
from onprem.core.identification import KnownVoice
from onprem.core.job import JobKind
from onprem.core.speech import Analysis
from onprem.core.work import TranscribeWork, VoiceprintWork, Work
from onprem.errors import (
    EngineFailed,
    JobFailure,
    MediaExpired,
    ModelError,
    ModelUnusable,
    OnpremError,
    RecordingLost,
    StorageFull,
    StoreBusy,
    described,
)
from onprem.media.decode import Decoded
from onprem.runner.accelerator import Accelerator
from onprem.runner.attended import Attended
from onprem.runner.channels import analyse_channels
from onprem.runner.finish import CANCELED, RETRY_SECONDS, Finisher, Outcome
from onprem.runner.lanes import Lane, Lanes
from onprem.runner.ports import Engine
from onprem.runner.progress import ProgressBoard
from onprem.runner.references import Reference, decoded_references, known_voices
from onprem.runner.source import Source
from onprem.runner.speed import Speed
from onprem.runner.turns import RunToken
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
        self.cancel = RunToken()
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


class NoPlace(Exception):
    """A recording turned out to be long, `duration` in seconds, and the place for one is taken."""

    def __init__(self, duration: float) -> None:
        self.duration = duration
        super().__init__()


class JobRunner:
    """Runs claimed jobs: several of them prepare at once, one of each lane computes."""

    def __init__(
        self,
        database: Database,
        artefacts: ArtefactStore,
        source: Source,
        engine: Engine,
        accelerator: Accelerator,
        lanes: Lanes,
        finisher: Finisher,
        progress: ProgressBoard,
        speed: Speed,
        attended: Attended,
        clock: Clock,
        voiceprint_key: bytes,
    ) -> None:
        self._database = database
        self._artefacts = artefacts
        self._voiceprint_key = voiceprint_key
        self._source = source
        self._engine = engine
        self._accelerator = accelerator
        self._lanes = lanes
        self._finisher = finisher
        self._progress = progress
        self._speed = speed
        self._attended = attended
        self._clock = clock

    async def run(self, run: ActiveRun) -> None:
        """Bring the job to a terminal state, or back to the queue: on a shutdown, or where it
        turns out to be long and there is no place for it.

        The worker copy's memory is freed when `_outcome` returns, before its receipt is written.
        """
        reason = no_place = None
        outcome = CANCELED
        run.preparing = True
        try:
            run.cancel.check()
            outcome = await self._outcome(run)
        except Canceled as canceled:
            reason = canceled.reason
        except NoPlace as without:
            no_place = without
        except asyncio.CancelledError:
            reason = run.cancel.reason
            if reason is None:
                raise
        finally:
            run.preparing = False
            self._progress.forget(run.job.id)
        if reason is CancelReason.SHUTDOWN and run.job.kind is JobKind.TRANSCRIBE:
            outcome, reason = Outcome.failed(RecordingLost()), None  # nobody has it any more
        if reason is CancelReason.SHUTDOWN:
            await self._finisher.requeue_interrupted(
                run.job, run.worker_copy, attempted=run.attempted
            )
        elif no_place is not None:
            await self._finisher.put_back(
                run.job,
                run.worker_copy,
                duration=no_place.duration,
                give_up=lambda: run.shutting_down,
            )
        else:
            await self._finisher.finish(
                run.job,
                outcome,
                worker_copies=[run.worker_copy],
                give_up=lambda: run.shutting_down,
            )
        self._progress.ring(run.job.id)

    async def _outcome(self, run: ActiveRun) -> Outcome:
        try:
            return await self._work(run)
        except JobFailure as failure:
            return Outcome.failed(failure)
        except (Canceled, NoPlace):
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
        async with AsyncExitStack() as held:
            decoded = await held.enter_async_context(self._samples(job, work))
            references: list[Reference] = []
            if isinstance(work, TranscribeWork):
                references = await decoded_references(held, work)
            lane = self._lanes.settle(job.id, _audio(decoded))
            if lane is None:
                raise NoPlace(_audio(decoded))
            async with self._accelerator.turn(lane):
                run.preparing = False
                await self._count_attempt(run, decoded.seconds)
                analysis = await self._computed(run, lane, work, decoded)
                known = await self._known_voices(run, lane, work, references)
        return await in_thread(self._succeeded, work, analysis, _remarks(decoded), known)

    def _samples(self, job: Job, work: Work) -> AbstractAsyncContextManager[Decoded]:
        if isinstance(work, TranscribeWork):
            return self._source.handed(self._attended.take_recording(job.id))
        source = self._source.within(BOUNDS) if isinstance(work, VoiceprintWork) else self._source
        return source.samples(job, work.request.url, separate=work.separate_channels)

    async def _computed(self, run: ActiveRun, lane: Lane, work: Work, decoded: Decoded) -> Analysis:
        """Measured, so that it can be told how long others will take."""
        began = self._clock.now()
        needed = self._speed.needed(_audio(decoded))
        if needed is not None:
            self._progress.expect(run.job.id, began + needed)
        analysis = await self._accelerator.run(
            lane, run.cancel, lambda: self._analyse(run, work, decoded)
        )
        self._speed.note(_audio(decoded), self._clock.now() - began - run.cancel.paused)
        return analysis

    async def _known_voices(
        self, run: ActiveRun, lane: Lane, work: Work, references: list[Reference]
    ) -> list[KnownVoice]:
        if not isinstance(work, TranscribeWork) or not references:
            return []
        return await self._accelerator.run(
            lane, run.cancel, partial(known_voices, self._engine, work, references, run.cancel)
        )

    async def _count_attempt(self, run: ActiveRun, duration: float) -> None:
        """Waits for as long as the disk is full or the database busy."""
        while True:
            run.cancel.check()
            try:
                async with self._database.write() as tx:
                    await jobs.count_attempt(tx, run.job.id, duration)
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
        work: Work = msgspec.json.decode(raw, type=Work)
        return work

    def _analyse(self, run: ActiveRun, work: Work, decoded: Decoded) -> Analysis:
        """On an accelerator thread."""

        def report(stage: str, fraction: float) -> None:
            self._progress.report(run.job.id, stage, fraction)

        if work.separate_channels:
            return analyse_channels(self._engine, work.task(), decoded, report, run.cancel)
        with decoded.track(0) as pcm:
            heard = self._attended.listener(run.job.id)
            return self._engine.analyse(work.task(), pcm, report, run.cancel, heard)

    def _succeeded(
        self, work: Work, analysis: Analysis, remarks: list[str], known: list[KnownVoice]
    ) -> Outcome:
        """Hours of speech are many words: this takes too long for the event loop."""
        output: msgspec.Struct
        if isinstance(work, TranscribeWork):
            output = work.output(analysis, remarks, known)
        elif isinstance(work, VoiceprintWork):
            output = work.output(analysis, remarks, self._voiceprint_key)
        else:
            output = work.output(analysis, remarks)
        return Outcome.succeeded(output, analysis.engine)


def _audio(decoded: Decoded) -> float:
    """Seconds to compute on."""
    return decoded.seconds * decoded.tracks


def _remarks(decoded: Decoded) -> list[str]:
    if decoded.damaged_packets:
        return [f"{decoded.damaged_packets} damaged packets of the recording were left out."]
    return []
