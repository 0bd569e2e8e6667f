"""Who may see how the server is: an admin key, the metrics token, and, as long as the server is not
published, whoever is on this machine.
"""

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from litestar import Request

from onprem.config.settings import Server
from onprem.http.addresses import LOOPBACK
from onprem.http.auth import bearer
from onprem.services.keys import Scope
from onprem.services.use_cases import UseCases

_FORWARDED = frozenset({"forwarded", "via", "x-real-ip"})


async def admit_operator(request: Request[Any, Any, Any], use: UseCases) -> None:
    """Raises Unauthenticated or ScopeMissing. Such requests count for no rate limit."""
    if not published(use.settings.server) and from_this_machine(request):
        return
    secret = bearer(request)
    if not use.metrics_token.matches(secret):
        (await use.keys.authenticate(secret)).require(Scope.ADMIN)


def published(server: Server) -> bool:
    """Whether clients reach it by another name than this machine's own: then something in front of
    it may forward their bytes from here as they are, and nothing shows who sent them.
    """
    if server.public_url is None:
        return False
    return urlsplit(server.public_url).hostname not in LOOPBACK


def from_this_machine(request: Request[Any, Any, Any]) -> bool:
    """Whether it came over loopback, and from nobody else through a proxy on this machine.

    A proxy shows by the headers that it adds, or by the name that its client asked for.
    """
    client = request.scope["client"]
    if client is None or not _is_loopback(client[0]):
        return False
    if any(name in _FORWARDED or name.startswith("x-forwarded-") for name in request.headers):
        return False
    return urlsplit(f"//{request.headers.get('host', '')}").hostname in LOOPBACK


def _is_loopback(host: str) -> bool:
    address = ipaddress.ip_address(host)
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
