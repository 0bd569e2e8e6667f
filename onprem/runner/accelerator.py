"""One thread owns the accelerator: models are loaded and run here and nowhere else."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class Accelerator:
    """Runs blocking calls one after the other, in the order of asking."""

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        """Held by the job that computes; waiting for it, unlike computing, can be cancelled."""
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="accelerator")

    async def run(self, call: Callable[[], T]) -> T:
        """The result of `call`, or what it raised.

        A cancelled caller does not stop a call that has begun: that is what a CancelToken is for.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    def close(self) -> None:
        """Waits for the call in progress."""
        self._thread.shutdown(wait=True, cancel_futures=True)
