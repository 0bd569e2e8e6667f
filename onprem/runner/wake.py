"""A bell: whoever submits rings it, the runner hears it. Rings are not counted."""

import asyncio

POLL_SECONDS = 1.0
"""The longest silence: jobs and cancels from another process ring no bell."""


class Wake:
    def __init__(self) -> None:
        self._event = asyncio.Event()

    def set(self) -> None:
        self._event.set()

    async def wait(self) -> None:
        """Until somebody rings, or POLL_SECONDS have passed."""
        try:
            await asyncio.wait_for(self._event.wait(), POLL_SECONDS)
        except TimeoutError:
            return
        self._event.clear()
