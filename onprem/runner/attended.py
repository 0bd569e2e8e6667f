"""Jobs whose client waits on the line: what they hear is in memory, what they find is passed on."""

import asyncio
from collections.abc import Iterator

from onprem.core.speech import Word
from onprem.errors import RecordingLost
from onprem.media.worker_copy import Lease, WorkerCopy
from onprem.runner.ports import HeardCallback


class Recording:
    """A worker copy that came with a request, and the memory that it is counted against."""

    def __init__(self, copy: WorkerCopy, lease: Lease) -> None:
        self.copy = copy
        self.lease = lease

    def close(self) -> None:
        """Give the memory back. Closing twice is fine."""
        self.copy.close()
        self.lease.shrink(0)


class Call:
    """One client on the line: whoever runs the job takes the recording and passes words on."""

    def __init__(self, job_id: str, recording: Recording, *, streams: bool) -> None:
        self.job_id = job_id
        self.streams = streams
        """Whether the client wants words before the job has ended."""
        self.waits = True
        """Whether nobody has claimed the job."""
        self._recording: Recording | None = recording
        self._words: asyncio.Queue[list[Word]] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()

    def take_recording(self) -> Recording:
        """The recording, once: who takes it closes it. Raises RecordingLost."""
        recording, self._recording = self._recording, None
        if recording is None:
            raise RecordingLost()
        return recording

    def hear(self, words: list[Word]) -> None:
        """From any thread."""
        self._loop.call_soon_threadsafe(self._words.put_nowait, words)

    async def next_words(self) -> list[Word]:
        """All that was heard since the last time; waits for it."""
        words = await self._words.get()
        return words + self.words_so_far()

    def words_so_far(self) -> list[Word]:
        """What was heard since the last time, perhaps nothing."""
        words: list[Word] = []
        while not self._words.empty():
            words += self._words.get_nowait()
        return words

    def close(self) -> None:
        """Nobody is on the line any more."""
        if self._recording is not None:
            self._recording.close()
            self._recording = None


class Attended:
    """The calls of this process. After a restart there is none: their jobs cannot be run again."""

    def __init__(self) -> None:
        self._calls: dict[str, Call] = {}

    def add(self, call: Call) -> None:
        self._calls[call.job_id] = call

    def remove(self, call: Call) -> None:
        self._calls.pop(call.job_id, None)
        call.close()

    def take_recording(self, job_id: str) -> Recording:
        """As `Call.take_recording`. Raises RecordingLost also where nobody is on the line."""
        call = self._calls.get(job_id)
        if call is None:
            raise RecordingLost()
        return call.take_recording()

    def listener(self, job_id: str) -> HeardCallback | None:
        """Who wants words before the job has ended; None: nobody."""
        call = self._calls.get(job_id)
        return call.hear if call is not None and call.streams else None

    def waiting(self) -> Iterator[Call]:
        """Calls whose job nobody has claimed, the oldest first."""
        return iter([call for call in self._calls.values() if call.waits])
