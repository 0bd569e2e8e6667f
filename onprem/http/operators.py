"""Who may see how the server is: whoever is on this machine, an admin key, the metrics token."""

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from litestar import Request

from onprem.http.addresses import LOOPBACK
from onprem.http.auth import bearer
from onprem.services.keys import Scope
from onprem.services.use_cases import UseCases

_FORWARDED = frozenset({"forwarded", "via", "x-real-ip"})


async def admit_operator(request: Request[Any, Any, Any], use: UseCases) -> None:
    """Raises Unauthenticated or ScopeMissing. Such requests count for no rate limit."""
    if from_this_machine(request):
        return
    secret = bearer(request)
    if not use.metrics_token.matches(secret):
        (await use.keys.authenticate(secret)).require(Scope.ADMIN)


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
