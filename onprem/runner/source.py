"""From a job's source to 16 kHz samples in memory: the worker copy, made and decoded."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from onprem.clock import Clock
from onprem.config.settings import Limits
from onprem.errors import AudioTooLarge, MediaExpired
from onprem.media.decode import Decoded, DecodeLimits, decode
from onprem.media.fetch import FetchPolicy, fetch
from onprem.media.worker_copy import WorkerCopy, WorkerMemory
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
    ) -> None:
        self._artefacts = artefacts
        self._memory = memory
        self._fetching = fetching
        self._limits = limits
        self._clock = clock

    @asynccontextmanager
    async def samples(self, job: Job, url: str) -> AsyncIterator[Decoded]:
        """Decoded audio for the length of the block; all memory is given back at its end.

        Waits until the copies fit into `limits.worker_memory`. The reservation is for the worst
        case and taken at once (two jobs that each hold a half would wait for ever); it shrinks
        to what was really needed. Where the budget is smaller than the worst case, it bounds each
        copy while it is written.

        Raises:
            MediaExpired, CouldNotLoadAudio, WorkerMemoryExceeded: the job has failed.
        """
        longest = int(self._limits.audio_duration * _BYTES_PER_SECOND)
        async with self._memory.reserve(self._limits.media_size + longest) as lease:
            with WorkerCopy.create("source", lease) as copy:
                await self._copy(job, url, copy)
                lease.shrink(copy.size + longest)
                decoded = await decode(copy, limits=self._decode_limits(lease.size - copy.size))
            with decoded.pcm:
                lease.shrink(decoded.pcm.size)
                yield decoded

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

    def _decode_limits(self, room: int) -> DecodeLimits:
        return DecodeLimits(
            audio_seconds=float(self._limits.audio_duration),
            pcm_bytes=room,
            worker_memory=self._memory.limit,
        )
