"""Turns on one accelerator: a long run pauses at its cancel points while a short one computes.

At most one run of each lane comes here at once. The long lane's thread blocks while it pauses; the
event loop never does.
"""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from onprem.core.cancel import CancelReason, CancelToken

PATIENCE_SECONDS = 15.0
"""A short run that waits for so long begins beside a long one that reaches no cancel point."""
MOST_OWED_SECONDS = 20.0
"""After a short run the long one computes for as long as that took, and at most for so long."""
OWED_PATIENCE_SECONDS = 5.0
"""The least that a short run waits for a cancel point once nothing is owed any more."""


class Turns:
    """`now` is a monotonic clock in seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._changed = threading.Condition()
        self._long = False
        self._paused = False
        self._short = False
        self._asked: Request | None = None
        self._owed_until = 0.0

    @contextmanager
    def long(self) -> Iterator[None]:
        """Around a run of the long lane; `give_way` is what lets others in."""
        with self._changed:
            self._long = True
        try:
            yield
        finally:
            with self._changed:
                self._long = False
                self._grant()

    @asynccontextmanager
    async def short(self) -> AsyncIterator[None]:
        """Around a run of the short lane: waits until the long one pauses, or patience ends."""
        await self._begin_short()
        began = self._now()
        try:
            yield
        finally:
            with self._changed:
                self._short = False
                now = self._now()
                self._owed_until = now + min(now - began, MOST_OWED_SECONDS)
                self._changed.notify_all()

    def give_way(self, canceled: Callable[[], bool]) -> float:
        """A cancel point of the long run, on its thread: blocks while a short one has its turn,
        unless the long one is `canceled`. Returns for how many seconds."""
        with self._changed:
            if not self._turn_of_short():
                return 0.0
            began, self._paused = self._now(), True
            self._grant()
            self._changed.wait_for(lambda: canceled() or not self._turn_of_short())
            self._paused = False
            return self._now() - began

    def wake(self) -> None:
        """Let a long run that pauses look whether it was canceled."""
        with self._changed:
            self._changed.notify_all()

    async def _begin_short(self) -> None:
        with self._changed:
            if not self._long or (self._paused and self._nothing_owed()):
                self._short = True
                return
            now = self._now()
            patience = max(PATIENCE_SECONDS, self._owed_until - now + OWED_PATIENCE_SECONDS)
            request = self._asked = Request()
        begins = True
        try:
            async with asyncio.timeout(patience):
                await request.granted
        except TimeoutError:
            pass
        except asyncio.CancelledError:
            begins = False
            raise
        finally:
            with self._changed:
                self._asked, self._short = None, begins
                self._changed.notify_all()

    def _turn_of_short(self) -> bool:
        return self._short or (self._asked is not None and self._nothing_owed())

    def _nothing_owed(self) -> bool:
        return self._now() >= self._owed_until

    def _grant(self) -> None:
        """From here on it is the short one's turn, though its task hears of it a little later."""
        if self._asked is not None:
            self._asked.grant()
            self._asked, self._short = None, True


class Request:
    """A short run that waits for its turn."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.granted: asyncio.Future[None] = self._loop.create_future()

    def grant(self) -> None:
        """From any thread."""
        self._loop.call_soon_threadsafe(self._grant)

    def _grant(self) -> None:
        if not self.granted.done():
            self.granted.set_result(None)


class RunToken(CancelToken):
    """The token of one run; where it has `turns`, its cancel points give way to short runs."""

    def __init__(self) -> None:
        super().__init__()
        self._turns: Turns | None = None
        self.paused = 0.0
        """Seconds that the run has given way for."""

    def cancel(self, reason: CancelReason) -> None:
        super().cancel(reason)
        if (turns := self._turns) is not None:
            turns.wake()

    def check(self) -> None:
        """Raises Canceled, also while it pauses."""
        super().check()
        if self._turns is not None:
            self.paused += self._turns.give_way(lambda: self.reason is not None)
            super().check()

    @contextmanager
    def giving_way(self, turns: Turns) -> Iterator[None]:
        """For the length of the block, which must not run on the event loop."""
        self._turns = turns
        try:
            yield
        finally:
            self._turns = None
