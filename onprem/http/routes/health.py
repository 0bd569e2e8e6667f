"""Health for load balancers and service managers; open to everybody."""

from litestar import Response, get
from litestar.di import NamedDependency

from onprem.http.bodies import answer
from onprem.services.use_cases import UseCases


@get("/healthz/live")
async def live() -> Response[bytes]:
    """200 as long as the process answers."""
    return answer({"status": "live"})


@get("/healthz/ready")
async def ready(use: NamedDependency[UseCases]) -> Response[bytes]:
    """200 once the models are loaded, verified and take jobs; else 503 with the reason."""
    readiness = use.health.readiness()
    return answer(readiness, 200 if readiness.ready else 503)
