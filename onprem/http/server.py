"""uvicorn in this process: bound before anything else is opened, told to stop by its owner."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator

import uvicorn
from litestar.types import ASGIApp

from onprem.errors import PortTaken

GRACE_SECONDS = 5
"""How long a stop waits for answers that are being sent."""


def bind(host: str, port: int) -> socket.socket:
    """A listening address that is taken but does not accept yet. Raises PortTaken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends without delay only where the protocol is named: else each answer of two writes
    # waits for the client's acknowledgement of the first, up to 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise PortTaken(host=host, port=port, why=error.strerror or "refused") from None
    return listener


class HttpServer(uvicorn.Server):
    """Serves one application until `should_exit`."""

    def __init__(self, app: ASGIApp, on_ready: Callable[[], None]) -> None:
        """`on_ready` is called once requests are accepted."""
        config = uvicorn.Config(
            app,
            lifespan="off",
            access_log=False,  # it would write paths, and an upload's path is its permission
            log_config=None,
            server_header=False,
            proxy_headers=False,  # nobody is believed about where a request came from
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.should_exit:
            self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Returns when no request is in work: what they use is closed next."""
        await super().shutdown(sockets)
        await asyncio.gather(*self.server_state.tasks, return_exceptions=True)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the owner: uvicorn would let the process die by them."""
        yield
