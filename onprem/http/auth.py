"""Who calls: the bearer key of a request, and the scope that a route asks for."""

from typing import Any

from litestar import Request
from litestar.di import NamedDependency

from onprem.errors import Unauthenticated
from onprem.http.rate_limits import admit
from onprem.services.keys import Principal, Scope
from onprem.services.use_cases import UseCases


def bearer(request: Request[Any, Any, Any]) -> str:
    """What stands for the caller's key. Raises Unauthenticated."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated()
    return secret.strip()


async def principal(request: Request[Any, Any, Any], use: NamedDependency[UseCases]) -> Principal:
    """The key's owner.

    A route states its scope as `scope=Scope.…`; a route without one is open to every key.

    Raises:
        Unauthenticated, RateLimited
        ScopeMissing: for what the route asks for; such a request counts too.
    """
    found = await use.keys.authenticate(bearer(request))
    await admit(request, use, found.project_id)
    needed: Scope | None = request.route_handler.opt.get("scope")
    if needed is not None:
        found.require(needed)
    return found
