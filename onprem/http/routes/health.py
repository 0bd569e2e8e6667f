"""Health for load balancers and service managers; open to everybody."""

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency

from onprem.http.bodies import answer
from onprem.http.openapi.contract import Answer, Contract, Tag
from onprem.services.health import Readiness
from onprem.services.use_cases import UseCases


class Live(msgspec.Struct, frozen=True):
    """The process answers."""

    status: str = "live"


@get("/healthz/live", contract=Contract(tag=Tag.HEALTH, answers={200: Answer(Live)}))
async def live() -> Response[bytes]:
    """200 as long as the process answers."""
    return answer(Live())


@get(
    "/healthz/ready",
    contract=Contract(
        tag=Tag.HEALTH,
        answers={
            200: Answer(Readiness, description="Jobs are taken."),
            503: Answer(Readiness, description="Not yet, or no more: with the reason."),
        },
    ),
)
async def ready(use: NamedDependency[UseCases]) -> Response[bytes]:
    """200 once the models are loaded, verified and take jobs; else 503 with the reason."""
    readiness = use.health.readiness()
    return answer(readiness, 200 if readiness.ready else 503)
