"""Clients that wait: seen when they go, told apart from those who got all of their answer."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, TypeVar

from litestar import Request
from litestar.response.base import ASGIResponse
from litestar.response.streaming import Stream
from litestar.types import Receive, Scope, Send

T = TypeVar("T")


class ClientGone(Exception):
    """The client closed the connection before there was an answer."""


async def unless_gone(request: Request[Any, Any, Any], work: Coroutine[Any, Any, T]) -> T:
    """What `work` returns or raises. The request's body must have been read.

    Raises:
        ClientGone: `work` was canceled.
    """
    working = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientGone
        return working.result()
    finally:
        working.cancel()
        gone.cancel()
        await asyncio.wait({working, gone})


async def _gone(request: Request[Any, Any, Any]) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


class Told(Stream):
    """An answer in pieces; `ended` is called once, with whether all of it was sent."""

    def __init__(
        self,
        pieces: AsyncIterator[bytes],
        ended: Callable[[bool], None],
        *,
        headers: dict[str, str],
        status_code: int,
    ) -> None:
        self._complete = False
        self._ended = ended
        super().__init__(self._followed(pieces), headers=headers, status_code=status_code)

    async def _followed(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for piece in pieces:
            yield piece
        self._complete = True

    def to_asgi_response(self, *arguments: Any, **options: Any) -> ASGIResponse:
        response = super().to_asgi_response(*arguments, **options)
        return _Followed(response, lambda: self._ended(self._complete))


class _Followed(ASGIResponse):
    """Another response, and what comes after it, however it ends."""

    __slots__ = ("_after", "_response")

    def __init__(self, response: ASGIResponse, after: Callable[[], None]) -> None:
        super().__init__(status_code=response.status_code)
        self._response = response
        self._after = after

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._response(scope, receive, send)
        finally:
            self._after()
