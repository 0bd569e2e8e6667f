"""Speech to text while the client waits: the recording stays in memory, the job is like any other.

When the client has its answer, or has gone, the job is canceled if it still runs, and its output
is deleted.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

import msgspec

from onprem.clock import Clock
from onprem.config.settings import Limits
from onprem.core.access import Means
from onprem.core.fieldwise import Conversion
from onprem.core.job import JobStatus
from onprem.core.openai.output import NOTHING_SAID, SpeechOutput
from onprem.core.openai.requests import SpeechRequest
from onprem.core.output import FailedOutput
from onprem.core.receipt import ArtefactKind, DeletionReason
from onprem.core.speech import Word
from onprem.errors import (
    JobFinished,
    NoRoom,
    NoSpeech,
    NotFound,
    OnpremError,
    PurgeIncomplete,
    RecordingLost,
    described,
)
from onprem.media.report import SAMPLE_BYTES
from onprem.media.worker_copy import WorkerCopy, WorkerMemory
from onprem.runner.attended import Attended, Call, Recording
from onprem.runner.progress import ProgressBoard
from onprem.runner.source import SAMPLE_RATE
from onprem.runner.wake import Wake
from onprem.services.access import AccessLog, Reader
from onprem.services.cancellation import Cancellation
from onprem.services.keys import Principal
from onprem.services.submit import Submission
from onprem.store import jobs
from onprem.store.artefacts import ArtefactStore
from onprem.store.database import Database
from onprem.store.jobs import Job

R = TypeVar("R", bound=SpeechRequest)

logger = logging.getLogger(__name__)

ROOM_SECONDS = 30.0
"""How long a client waits for room in the worker memory."""
RETRY_SECONDS = 5
"""After which a client that found no room may try again."""
QUIET_SECONDS = 5.0
"""The longest silence while a job runs. Also finds what another process did to it."""
DELETE_AGAIN_SECONDS = 2.0
"""Pause before what could not be deleted is deleted again."""
PAUSE_SECONDS = 0.05
"""Between two looks at a job that makes progress."""


class Ended(msgspec.Struct, frozen=True):
    """How a job ended: with an `output`, or with an error. `seconds`: of audio."""

    status: JobStatus
    output: SpeechOutput | None = None
    seconds: float = 0.0
    error_code: str = ""
    error: str = ""


class Conversation(msgspec.Struct, frozen=True):
    """A client that waits for what its recording says; see `SpeechToText.hang_up`."""

    reader: Reader
    call: Call
    warning: str | None

    @property
    def project_id(self) -> str:
        return self.reader.project_id

    @property
    def job_id(self) -> str:
        return self.call.job_id


class SpeechToText:
    def __init__(
        self,
        database: Database,
        artefacts: ArtefactStore,
        access: AccessLog,
        submission: Submission,
        cancellation: Cancellation,
        attended: Attended,
        memory: WorkerMemory,
        progress: ProgressBoard,
        wake: Wake,
        clock: Clock,
        limits: Limits,
    ) -> None:
        self._database = database
        self._artefacts = artefacts
        self._access = access
        self._submission = submission
        self._cancellation = cancellation
        self._attended = attended
        self._memory = memory
        self._progress = progress
        self._wake = wake
        self._clock = clock
        self._limits = limits
        self.file_limit = limits.media_size
        """Bytes."""
        self._noted: set[str] = set()
        """Jobs whose answer stands in the access log."""
        self._endings: set[asyncio.Task[None]] = set()
        self._closing = False

    @asynccontextmanager
    async def receiving(self, declared: int | None) -> AsyncIterator[Recording]:
        """An empty recording with room for a file of `declared` bytes, and to decode it.

        All at once: two that each hold a half would wait for ever. Closed if the block raises.

        Raises:
            NoRoom: others held the memory for ROOM_SECONDS.
        """
        size = int(self._limits.media_size)
        if declared is not None:
            size = min(size, declared)
        size += int(self._limits.audio_duration * SAMPLE_RATE * SAMPLE_BYTES)
        try:
            async with asyncio.timeout(ROOM_SECONDS):
                lease = await self._memory.lease(size)
        except TimeoutError:
            raise NoRoom(retry_after=RETRY_SECONDS) from None
        recording = Recording(WorkerCopy.create("source", lease), lease)
        try:
            yield recording
        except BaseException:
            recording.close()
            raise

    async def begin(
        self,
        principal: Principal,
        body: Conversion[R],
        recording: Recording,
        *,
        streams: bool,
    ) -> Conversation:
        """A job that works on `recording`, which is the job's from now on.

        Raises:
            InvalidRequest, OperationDisabled, QueueFull, StorageFull, StoreBusy: there is none.
        """
        submitted = await self._submission.speech(principal, body)
        call = Call(submitted.job_id, recording, streams=streams)
        self._attended.add(call)
        self._wake.set()
        reader = Reader(principal.actor, Means.OPENAI, principal.project_id, submitted.job_id)
        return Conversation(reader, call, submitted.warning)

    async def ended(self, talk: Conversation) -> Ended:
        """Wait for the job. One that was deleted counts as canceled.

        Raises StorageFull, StoreBusy: the client may not have what it said.
        """
        return await self._result(talk, await self._over(talk))

    async def _over(self, talk: Conversation) -> Job | Ended:
        with self._progress.watched(talk.job_id) as bell:
            while True:
                bell.clear()
                job = await jobs.get(self._database, talk.job_id, talk.project_id)
                if job is None:
                    return Ended(JobStatus.CANCELED)
                if job.finished_at is not None:
                    return job
                if self._progress.closed and talk.call.waits:  # nobody will claim it any more
                    lost = RecordingLost()
                    return Ended(JobStatus.FAILED, error_code=lost.code, error=lost.sentence)
                with suppress(TimeoutError):
                    await asyncio.wait_for(bell.wait(), QUIET_SECONDS)
                    await asyncio.sleep(PAUSE_SECONDS)

    async def _result(self, talk: Conversation, job: Job | Ended) -> Ended:
        if isinstance(job, Ended):
            return job
        raw, seconds = None, job.duration or 0.0
        if job.output_id is not None:
            raw = await self._artefacts.read(job.output_id, now=self._clock.now())
        if job.status is JobStatus.CANCELED or raw is None or job.output_id is None:
            return Ended(JobStatus.CANCELED)
        if not await self._noted_read(talk, job.output_id):
            return Ended(JobStatus.CANCELED)
        if job.status is JobStatus.SUCCEEDED:
            return Ended(job.status, msgspec.json.decode(raw, type=SpeechOutput), seconds)
        if job.error_code == NoSpeech.code:
            return Ended(JobStatus.SUCCEEDED, NOTHING_SAID, seconds)
        error = msgspec.json.decode(raw, type=FailedOutput).error
        return Ended(job.status, None, seconds, job.error_code or "", error)

    async def words(self, talk: Conversation) -> AsyncIterator[list[Word]]:
        """What is heard, as soon as it is; an empty list in each silence; ends with the job.

        Raises StorageFull, StoreBusy: before the first words.
        """
        end = asyncio.ensure_future(self._over(talk))
        try:
            while not end.done():
                words = asyncio.ensure_future(talk.call.next_words())
                await asyncio.wait(
                    {words, end}, timeout=QUIET_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )
                if words.done():
                    await self._note_words(talk)
                    yield words.result()
                    continue
                words.cancel()
                if not end.done():
                    yield []
            # Heard before the end, while the client was still reading what came before.
            if rest := talk.call.words_so_far():
                await self._note_words(talk)
                yield rest
        finally:
            end.cancel()

    async def _noted_read(self, talk: Conversation, output_id: bytes) -> bool:
        """An answer is noted once. False: the output was deleted before it was."""
        if talk.job_id not in self._noted:
            if not await self._access.admit(talk.reader, {output_id: ArtefactKind.OUTPUT}):
                return False
            self._noted.add(talk.job_id)
        return True

    async def _note_words(self, talk: Conversation) -> None:
        if talk.job_id not in self._noted:
            await self._access.heard(talk.reader)
            self._noted.add(talk.job_id)

    def hang_up(self, talk: Conversation, *, delivered: bool) -> None:
        """The client has its whole answer, or has gone. Returns at once; what follows goes on."""
        self._noted.discard(talk.job_id)
        task = asyncio.create_task(self._end(talk, delivered), name=f"end of {talk.job_id}")
        self._endings.add(task)
        task.add_done_callback(self._endings.discard)

    async def close(self) -> None:
        """Wait until all who have hung up are forgotten, or cannot be now."""
        self._closing = True
        await asyncio.gather(*self._endings)

    async def _end(self, talk: Conversation, delivered: bool) -> None:
        """Again and again while the disk is full or the database busy; the next start does what
        a stop left undone."""
        reason = DeletionReason.DELIVERED if delivered else DeletionReason.REQUESTED
        self._attended.remove(talk.call)
        while True:
            try:
                with suppress(NotFound, JobFinished):
                    await self._cancellation.cancel(talk.project_id, talk.job_id)
                await self._delete(talk, reason)
                return
            except (OnpremError, OSError) as error:
                logger.warning("job %s leaves something behind: %s", talk.job_id, described(error))
            if self._closing:
                return
            await asyncio.sleep(DELETE_AGAIN_SECONDS)

    async def _delete(self, talk: Conversation, reason: DeletionReason) -> None:
        """The output, and what no run has a receipt for: the copy of a job that nobody claimed."""
        now = self._clock.now()
        async with self._database.write() as tx:
            job = await jobs.get(tx, talk.job_id, talk.project_id, deleted=True)
            if job is None or job.finished_at is None:
                return
            for record in (job.output_id, job.edits_id):
                if record is not None:
                    await self._artefacts.delete_within(tx, record, reason, now=now)
            if job.output_id is not None:
                await jobs.end_output(tx, job.id, now=now)
            if job.claims == 0:
                for copy in await self._artefacts.worker_copies(job.id):
                    await self._artefacts.delete_within(tx, copy, DeletionReason.JOB_ENDED, now=now)
        try:
            await self._artefacts.empty_log()
        except PurgeIncomplete as error:  # it is counted, and each sweep tries again
            logger.warning("job %s leaves something behind: %s", talk.job_id, described(error))
