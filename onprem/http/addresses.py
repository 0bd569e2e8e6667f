"""Which names the server answers for, and how it names itself in absolute URLs."""

from typing import Any
from urllib.parse import urlsplit

from litestar import Request, Response

from onprem.config.settings import Server
from onprem.errors import HostNotAllowed
from onprem.http.errors import refuse

_NEVER_IN_A_HOST = frozenset("@/?#")
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Addresses:
    """Absolute URLs come from `server.public_url`, else from the address bound to.

    Never from the Host header: whoever sends that could make the server hand out links to
    somebody else's machine.
    """

    def __init__(self, settings: Server, port: int) -> None:
        """`port` is the one bound to: the setting may have asked for any free one."""
        host = settings.host
        shown = f"[{host}]" if ":" in host else host
        self.listening = f"http://{shown}:{port}"
        self.base = (settings.public_url or self.listening).rstrip("/")
        named = [host, urlsplit(self.base).hostname or "", *settings.allowed_hosts]
        self._allowed = {*LOOPBACK, *(name.lower() for name in named)}

    def allows(self, host_header: str) -> bool:
        """`host_header` with or without a port. What is no host at all is never allowed."""
        if _NEVER_IN_A_HOST.intersection(host_header):
            return False
        try:
            parts = urlsplit(f"//{host_header}")
            _ = parts.port  # raises where it is no number
        except ValueError:
            return False
        return "*" in self._allowed or parts.hostname in self._allowed

    async def check_host(self, request: Request[Any, Any, Any]) -> Response[bytes] | None:
        """A `before_request` hook: DNS rebinding ends here."""
        if self.allows(request.headers.get("host", "")):
            return None
        return refuse(request, HostNotAllowed())
