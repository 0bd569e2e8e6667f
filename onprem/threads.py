"""Work that outlives the cancellation of whoever awaits it, and is therefore awaited to its end.

A cancelled `asyncio.to_thread` returns at once while its thread goes on: the thread may then write
to a file descriptor that was closed, and perhaps opened again as another file.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """What `work` returns or raises; a cancellation is raised only after its end."""
    task = asyncio.ensure_future(work)
    canceled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            canceled = error
    if canceled is not None:
        raise canceled from (None if task.cancelled() else task.exception())
    return task.result()


async def in_thread(call: Callable[..., T], *arguments: Any) -> T:
    """Run a blocking call in a thread."""
    return await to_the_end(asyncio.to_thread(call, *arguments))
