"""Somebody's web server on loopback that gets webhooks and uploads, and answers as it is told."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec


class Request(msgspec.Struct, frozen=True):
    """`headers` by lower-case name."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class Receiver:
    """Answers with `answers` one after the other, then with `otherwise`; None: not at all.

    An answer is a status, or a status and a place that it redirects to.
    """

    def __init__(self) -> None:
        self.answers: list[int | tuple[int, str] | None] = []
        self.otherwise: int | tuple[int, str] | None = 204
        self.requests: list[Request] = []
        self.port = 0
        self._more = asyncio.Condition()
        self._release = asyncio.Event()

    def url(self, path: str = "/hook", host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    @property
    def rule(self) -> str:
        """What `webhooks.allow` has to say, so that it is reached."""
        return f"127.0.0.1:{self.port}"

    async def got(self, count: int, seconds: float = 20.0) -> list[Request]:
        """All requests, once there are so many."""
        async with asyncio.timeout(seconds), self._more:
            await self._more.wait_for(lambda: len(self.requests) >= count)
        return self.requests

    def let_go(self) -> None:
        """Hang up on those that got no answer."""
        self._release.set()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass  # the sender gave up
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        method, target, _ = head.split(" ")
        pairs = (line.partition(":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        async with self._more:
            self.requests.append(Request(method, target, headers, body))
            self._more.notify_all()
        answer = self.answers.pop(0) if self.answers else self.otherwise
        if answer is None:
            await self._release.wait()
            return
        status, place = answer if isinstance(answer, tuple) else (answer, "")
        location = f"Location: {place}\r\n" if place else ""
        writer.write(f"HTTP/1.1 {status} X\r\n{location}Content-Length: 0\r\n\r\n".encode())
        await writer.drain()


@asynccontextmanager
async def receiving(context: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    receiver = Receiver()
    server = await asyncio.start_server(receiver.handle, "127.0.0.1", 0, ssl=context)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        receiver.let_go()
        server.close()
        await server.wait_closed()
