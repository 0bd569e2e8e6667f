"""From a job's source to 16 kHz samples in memory: the worker copy, made and decoded."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

from msgspec.structs import replace

from onprem.clock import Clock
from onprem.config.quantities import ByteSize, Duration
from onprem.config.settings import Limits
from onprem.core.bounds import Bounds
from onprem.errors import (
    AudioTooLarge,
    AudioTooLong,
    JobFailure,
    MediaExpired,
    WorkerMemoryExceeded,
)
from onprem.media.decode import Decoded, DecodeLimits, decode
from onprem.media.fetch import FetchPolicy, fetch
from onprem.media.report import MOST_TRACKS
from onprem.media.worker_copy import WorkerCopy, WorkerMemory
from onprem.runner.attended import Recording
from onprem.store.artefacts import ArtefactStore
from onprem.store.jobs import Job
from onprem.threads import in_thread

SAMPLE_RATE = 16_000
"""Hz of everything that an engine hears."""
_BYTES_PER_SECOND = 2 * SAMPLE_RATE


class Source:
    """Makes worker copies, within the server's budget for them."""

    def __init__(
        self,
        artefacts: ArtefactStore,
        memory: WorkerMemory,
        fetching: FetchPolicy,
        limits: Limits,
        clock: Clock,
        bounds: Bounds | None = None,
    ) -> None:
        self._artefacts = artefacts
        self._memory = memory
        self._fetching = fetching
        self._limits = limits
        self._clock = clock
        self._bounds = bounds

    def within(self, bounds: Bounds) -> "Source":
        """The same for a kind of job that takes less, and reserves no more than that."""
        limits = replace(
            self._limits,
            media_size=ByteSize(min(bounds.bytes, self._limits.media_size)),
            audio_duration=Duration(min(bounds.seconds, self._limits.audio_duration)),
        )
        fetching = replace(self._fetching, max_bytes=limits.media_size)
        return Source(self._artefacts, self._memory, fetching, limits, self._clock, bounds)

    @asynccontextmanager
    async def samples(
        self, job: Job, url: str, *, separate: bool = False
    ) -> AsyncIterator[Decoded]:
        """Decoded audio for the length of the block; all memory is given back at its end.

        Waits until the copies fit into `limits.worker_memory`. The reservation is for the worst
        case and taken at once (two jobs that each hold a half would wait for ever); it shrinks
        to what was really needed. Where the budget is smaller than the worst case, it bounds each
        copy while it is written.

        With `separate` the worst case would be most of the budget, which nearly no recording
        needs. So the room of a mixed one is tried first; what does not fit begins anew.

        Raises:
            MediaExpired, CouldNotLoadAudio, TooManyChannels, WorkerMemoryExceeded: the job has
                failed.
        """
        largest = await self._largest(job)
        longest = int(self._limits.audio_duration * _BYTES_PER_SECOND)
        async with AsyncExitStack() as held:
            try:
                decoded = await self._decoded(held, job, url, largest + longest, longest, separate)
            except WorkerMemoryExceeded:
                if not separate or largest + longest >= self._memory.limit:
                    raise
                await held.aclose()
                longest *= MOST_TRACKS
                decoded = await self._decoded(held, job, url, largest + longest, longest, separate)
            except (AudioTooLarge, AudioTooLong) as failure:
                raise self._in_its_own_words(failure) from None
            yield decoded

    @asynccontextmanager
    async def handed(self, recording: Recording) -> AsyncIterator[Decoded]:
        """As `samples`, of a recording that came with a request, and is closed at the end."""
        copy, lease = recording.copy, recording.lease
        try:
            lease.shrink(copy.size + int(self._limits.audio_duration * _BYTES_PER_SECOND))
            decoded = await decode(copy, limits=self._decode_limits(lease.size - copy.size))
            copy.close()
            with decoded.pcm:
                lease.shrink(decoded.pcm.memory)
                yield decoded
        finally:
            recording.close()

    async def _largest(self, job: Job) -> int:
        """Bytes that the recording may have; of an upload it is known. So a small one need not
        wait while a large one is decoded."""
        if job.media_id is None:
            return self._limits.media_size
        size = await self._artefacts.size(job.media_id)
        if size is None:
            raise MediaExpired()
        return min(size, self._limits.media_size)

    async def _decoded(
        self, held: AsyncExitStack, job: Job, url: str, room: int, longest: int, separate: bool
    ) -> Decoded:
        """What `held` lets go of at its end; `longest` in bytes of all tracks."""
        lease = await held.enter_async_context(self._memory.reserve(room))
        with WorkerCopy.create("source", lease) as copy:
            await self._copy(job, url, copy)
            lease.shrink(copy.size + longest)
            limits = self._decode_limits(lease.size - copy.size)
            decoded = await decode(copy, limits=limits, separate=separate)
        held.enter_context(decoded.pcm)
        lease.shrink(decoded.pcm.memory)
        return decoded

    async def _copy(self, job: Job, url: str, copy: WorkerCopy) -> None:
        if job.media_id is None:
            await fetch(url, copy, policy=self._fetching)
            return
        segments = await self._artefacts.open(job.media_id, now=self._clock.now())
        if segments is None:
            raise MediaExpired()
        try:
            await in_thread(self._fill, copy, segments)
        except FileNotFoundError:  # deleted since it was opened
            raise MediaExpired() from None

    def _fill(self, copy: WorkerCopy, segments: Iterator[bytes]) -> None:
        for segment in segments:
            # The limit may have been lowered since the upload.
            if copy.size + len(segment) > self._limits.media_size:
                raise AudioTooLarge(limit=self._limits.media_size)
            copy.write(segment)

    def _in_its_own_words(self, failure: JobFailure) -> JobFailure:
        """The server's own limits may be lower than those of the kind of job: then they speak."""
        bounds, limits = self._bounds, self._limits
        if bounds is None:
            return failure
        if isinstance(failure, AudioTooLarge):
            return bounds.too_large() if limits.media_size == bounds.bytes else failure
        return bounds.too_long() if limits.audio_duration == bounds.seconds else failure

    def _decode_limits(self, room: int) -> DecodeLimits:
        return DecodeLimits(
            audio_seconds=float(self._limits.audio_duration),
            pcm_bytes=room,
            worker_memory=self._memory.limit,
        )
