"""Metrics for a monitoring system, in the text format of Prometheus."""

from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from onprem.errors import ScopeMissing, Unauthenticated
from onprem.http.openapi.contract import Answer, Contract, Tag
from onprem.http.operators import admit_operator
from onprem.services.use_cases import UseCases


@get(
    "/metrics",
    contract=Contract(
        tag=Tag.HEALTH,
        answers={200: Answer(media="text/plain", description="The metrics.")},
        refuses=(Unauthenticated, ScopeMissing),
    ),
)
async def metrics(
    request: Request[Any, Any, Any], use: NamedDependency[UseCases]
) -> Response[bytes]:
    """Metrics in the text format of Prometheus, without a project, an id or a URL.

    Open on the server's own machine as long as `server.public_url` names no other; else an admin
    key, or the token of `server.metrics_token_file`, as the bearer.
    """
    await admit_operator(request, use)
    return Response(await use.metrics.exposition(), media_type=CONTENT_TYPE_PLAIN_0_0_4)
