"""A web server of one's own on loopback, which answers as badly as a test asks it to."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from onprem.media.addresses import AllowRule
from onprem.media.fetch import FetchPolicy

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


class WebSource:
    """`answers` by path; every request head that came is in `requests`."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.requests: list[str] = []
        self.port = 0

    def url(self, path: str, host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    def policy(self, **changes: object) -> FetchPolicy:
        """One that lets the test reach this very port of loopback."""
        settings = {"allow": (AllowRule.parse(f"127.0.0.1:{self.port}"),)} | changes
        return FetchPolicy(**settings)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.requests.append(head)
            path = head.split(" ")[1].partition("?")[0]
            await self.answers[path](writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client hung up, as some tests want it to
        finally:
            writer.close()


@asynccontextmanager
async def serving(context: ssl.SSLContext | None = None) -> AsyncIterator[WebSource]:
    source = WebSource()
    server = await asyncio.start_server(source.handle, "127.0.0.1", 0, ssl=context)
    source.port = server.sockets[0].getsockname()[1]
    try:
        yield source
    finally:
        server.close()


def says(body: bytes, status: str = "200 OK", *headers: str, length: int | None = None) -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        size = len(body) if length is None else length
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {size}", "Connection: close", *headers]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    return answer


def redirects(to: str) -> Answer:
    return says(b"", "302 Found", f"Location: {to}")


def trickles(piece: bytes, every: float) -> Answer:
    """A body without a length and without an end."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while not writer.is_closing():
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(every)

    return answer
