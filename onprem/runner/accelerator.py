"""The accelerator: models are loaded and run here and nowhere else, by one thread for each lane."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

from onprem.runner.lanes import Lane
from onprem.runner.turns import RunToken, Turns

T = TypeVar("T")


class Accelerator:
    """In each lane one run after the other, in the order of asking.

    Of two runs in two lanes one computes at a time, as far as the long one reaches cancel points.
    """

    def __init__(self, turns: Turns | None = None) -> None:
        self._turns = turns or Turns()
        self._order = {lane: asyncio.Lock() for lane in Lane}
        self._threads = {
            lane: ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"accelerator-{lane.value}")
            for lane in Lane
        }

    @asynccontextmanager
    async def turn(self, lane: Lane) -> AsyncIterator[None]:
        """Held by the run that computes; waiting for it, unlike computing, can be cancelled."""
        async with self._order[lane]:
            if lane is Lane.LONG:
                with self._turns.long():
                    yield
            else:
                async with self._turns.short():
                    yield

    async def run(self, lane: Lane, token: RunToken, call: Callable[[], T]) -> T:
        """The result of `call`, or what it raised. A long one pauses where it checks `token`.

        A cancelled caller does not stop a call that has begun: that is what the token is for.
        """

        def computed() -> T:
            if lane is Lane.SHORT:
                return call()
            with token.giving_way(self._turns):
                token.check()
                return call()

        return await asyncio.get_running_loop().run_in_executor(self._threads[lane], computed)

    async def load(self, call: Callable[[], T]) -> T:
        """As `run`, before there are runs."""
        return await asyncio.get_running_loop().run_in_executor(self._threads[Lane.LONG], call)

    def close(self) -> None:
        """Waits for the calls in progress."""
        for thread in self._threads.values():
            thread.shutdown(wait=True, cancel_futures=True)
