"""Connections that are judged where they are made.

The name is resolved here, every answer must pass, and the connection goes to one of these very
addresses: between the check and the connection nothing is resolved again, so a name server that
changes its answer changes nothing. Host header, SNI and certificate check keep the name.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import httpcore

from onprem.media.addresses import AllowRule, denial

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Textual IP addresses of a host; raises OSError where it has none."""


class DestinationDenied(Exception):
    """The connection was not made. `why` names the kind of address, never the address."""

    def __init__(self, host: str, port: int, why: str) -> None:
        self.host = host
        self.port = port
        self.why = why
        super().__init__(f"{host}:{port} {why}")


_RESOLVERS = ThreadPoolExecutor(max_workers=4, thread_name_prefix="resolve")
"""Threads that a name server which never answers may block. The store needs those of the loop."""


async def resolve(host: str, port: int) -> Sequence[str]:
    """Ask the machine's resolver."""
    ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    answers = await asyncio.get_running_loop().run_in_executor(_RESOLVERS, ask)
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """The network of an httpcore pool, with a guard at its only door."""

    def __init__(
        self,
        rules: Sequence[AllowRule],
        *,
        on_denied: Callable[[], None] | None = None,
        resolve: Resolve = resolve,
        named_only: bool = False,
    ) -> None:
        """`on_denied` is called once for every connection that is refused.

        With `named_only` nothing is connected to but what a rule names.
        """
        self._rules = rules
        self._named_only = named_only
        self._on_denied = on_denied
        self._resolve = resolve
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Resolve, judge all answers, connect to the first that accepts.

        Raises:
            DestinationDenied: one of the answers may not be connected to.
            httpcore.ConnectError: the name does not resolve, or nobody accepts.
            httpcore.ConnectTimeout: `timeout` seconds passed, all attempts together.
        """
        try:
            async with asyncio.timeout(timeout):
                addresses = await self._admitted(host, port)
                stream = await self._connect(addresses, port, local_address, socket_options)
                return _Connection(stream)
        except TimeoutError:
            raise httpcore.ConnectTimeout from None

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Never: a URL that reached one would reach the machine's own services."""
        raise DestinationDenied("unix", 0, "it is a local socket")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def _admitted(self, host: str, port: int) -> Sequence[str]:
        try:
            addresses = await self._resolve(host, port)
        except (OSError, UnicodeError):
            addresses = ()
        if not addresses:
            raise httpcore.ConnectError("the name does not resolve")
        for address in addresses:
            why = denial(host, address, port, self._rules, named_only=self._named_only)
            if why is not None:
                if self._on_denied is not None:
                    self._on_denied()
                raise DestinationDenied(host, port, why)
        return addresses

    async def _connect(
        self,
        addresses: Sequence[str],
        port: int,
        local_address: str | None,
        socket_options: Iterable[Any] | None,
    ) -> httpcore.AsyncNetworkStream:
        failure = httpcore.ConnectError("nobody accepts the connection")
        for address in addresses:
            try:
                return await self._network.connect_tcp(
                    address, port, None, local_address, socket_options
                )
            except httpcore.ConnectError as error:
                failure = error
        raise failure


class _Connection(httpcore.AsyncNetworkStream):
    """Closes when it is cancelled in a TLS handshake, where httpcore forgets to."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
    ) -> httpcore.AsyncNetworkStream:
        try:
            return await self._stream.start_tls(ssl_context, server_hostname, timeout)
        except BaseException:
            await self._stream.aclose()
            raise


def guarded_pool(
    backend: GuardedBackend, ssl_context: ssl.SSLContext, *, connections: int = 10
) -> httpcore.AsyncConnectionPool:
    """A pool that reaches the network through `backend` only.

    httpcore itself, without httpx: nothing of the environment (proxies, netrc), no cookies, no
    redirects, no decompression, and no log line that holds a URL.
    """
    return httpcore.AsyncConnectionPool(
        ssl_context=ssl_context, network_backend=backend, max_connections=connections, retries=0
    )
