"""Rate limits on the wire: the headers of the contract, and its 429."""

from typing import Any

from litestar import Request
from litestar.types import Scope

from onprem.errors import RateLimited
from onprem.services.rate_limits import Allowance
from onprem.services.use_cases import UseCases

_STATE = "rate_limit"


async def admit(request: Request[Any, Any, Any], use: UseCases, project_id: str) -> None:
    """Count this request for its project and route. Raises RateLimited."""
    endpoint = f"{request.method} {request.scope['path_template']}"
    reads = request.method in ("GET", "HEAD")
    allowance = await use.rate_limits.admit(project_id, endpoint, reads=reads)
    if allowance is None:
        return
    request.scope["state"][_STATE] = allowance
    if allowance.wait:
        raise RateLimited(limit=allowance.limit)


def rate_limit_headers(scope: Scope) -> list[tuple[bytes, bytes]]:
    """For every answer to a request that was counted, or refused for its rate."""
    allowance: Allowance | None = scope.get("state", {}).get(_STATE)
    if allowance is None:
        return []
    headers = {"x-ratelimit-limit": allowance.limit, "x-ratelimit-remaining": allowance.remaining}
    if allowance.wait:
        headers |= {"x-ratelimit-reset": allowance.resets_at, "retry-after": allowance.wait}
    return [(name.encode(), str(value).encode()) for name, value in headers.items()]
