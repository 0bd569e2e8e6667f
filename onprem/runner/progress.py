"""How far each running job is, and who watches. In memory: it means nothing after a restart."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec


class Progress(msgspec.Struct, frozen=True):
    """`stage` is fetch, decode, segmentation, embedding, clustering or transcription."""

    stage: str
    percent: int


class ProgressBoard:
    """Written by the runner; read and watched by the API."""

    def __init__(self) -> None:
        self._progress: dict[str, Progress] = {}
        self._expected: dict[str, float] = {}
        # Replaced as a whole, never changed: other threads go through them.
        self._watchers: dict[str, tuple[_Bell, ...]] = {}
        self.closed = False
        """Whether the server stops: nobody needs to watch any more."""

    def report(self, job_id: str, stage: str, fraction: float) -> None:
        """`fraction` of the stage, 0..1. From any thread."""
        percent = round(100 * min(1.0, max(0.0, fraction)))
        self._progress[job_id] = Progress(stage, percent)
        self.ring(job_id)

    def expect(self, job_id: str, end: float) -> None:
        """When the job is likely to be done, in seconds since the epoch."""
        self._expected[job_id] = end

    def of(self, job_id: str) -> Progress | None:
        return self._progress.get(job_id)

    def expected(self, job_id: str) -> float | None:
        return self._expected.get(job_id)

    def forget(self, job_id: str) -> None:
        self._progress.pop(job_id, None)
        self._expected.pop(job_id, None)
        self.ring(job_id)

    def ring(self, job_id: str | None = None) -> None:
        """Tell those who watch this job, or any job, that there is news. From any thread."""
        ids = list(self._watchers) if job_id is None else [job_id]
        for each in ids:
            for bell in self._watchers.get(each, ()):
                bell.ring()

    def close(self) -> None:
        """Let everybody go who watches."""
        self.closed = True
        self.ring()

    @contextmanager
    def watched(self, job_id: str) -> Iterator[asyncio.Event]:
        """An event that is set at each piece of news about the job."""
        bell = _Bell()
        self._watchers[job_id] = (*self._watchers.get(job_id, ()), bell)
        try:
            yield bell.event
        finally:
            left = tuple(each for each in self._watchers[job_id] if each is not bell)
            if left:
                self._watchers[job_id] = left
            else:
                del self._watchers[job_id]


class _Bell:
    """An event of one event loop that any thread can set."""

    def __init__(self) -> None:
        self.event = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def ring(self) -> None:
        self._loop.call_soon_threadsafe(self.event.set)
