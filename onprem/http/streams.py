"""Sending a recording: piece by piece, no longer than it may live, to whoever still listens."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from typing import Any

from litestar.types import ASGIApp, Receive, Scope, Send

from onprem.errors import MediaGone, OnpremError, described

logger = logging.getLogger(__name__)


def streamed(
    pieces: AsyncIterator[bytes], status: int, headers: dict[str, str], seconds: float
) -> ASGIApp:
    """An answer whose `headers` name its length; after `seconds` it breaks off.

    Whoever gets less than the length that was named knows that it is not the whole.
    """
    start: Any = {
        "type": "http.response.start",
        "status": status,
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }

    async def app(_: Scope, receive: Receive, send: Send) -> None:
        await send(start)
        listening = asyncio.create_task(_until_gone(receive))
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await _send_all(pieces, send, listening)
        finally:
            listening.cancel()

    return app


async def _send_all(
    pieces: AsyncIterator[bytes], send: Send, listening: asyncio.Task[None]
) -> None:
    try:
        async with aclosing(pieces) as open_pieces:  # type: ignore[type-var]
            async for piece in open_pieces:
                if listening.done():
                    return
                await send({"type": "http.response.body", "body": piece, "more_body": True})
    except (OnpremError, OSError) as error:
        if not isinstance(error, MediaGone):
            logger.error("a download broke off: %s", described(error))
        return
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
