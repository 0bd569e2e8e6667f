"""Health for load balancers, service managers and auditors."""

from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency

from onprem.errors import ScopeMissing, Unauthenticated
from onprem.http.bodies import answer
from onprem.http.openapi.contract import Answer, Contract, Tag
from onprem.http.operators import admit_operator
from onprem.services.compliance import ComplianceReport
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


@get(
    "/healthz/compliance",
    contract=Contract(
        tag=Tag.HEALTH,
        answers={
            200: Answer(ComplianceReport, description="All deadlines are kept."),
            500: Answer(ComplianceReport, description="They are not: `problems` says why."),
        },
        refuses=(Unauthenticated, ScopeMissing),
    ),
)
async def compliance(
    request: Request[Any, Any, Any], use: NamedDependency[UseCases]
) -> Response[bytes]:
    """200 while all deadlines are kept; 500 while anything is overdue, the sweep does not run, a
    deletion is not confirmed, or the last canary was found.

    Open on the server's own machine as long as `server.public_url` names no other; else an admin
    key, or the token of `server.metrics_token_file`, as the bearer.
    """
    await admit_operator(request, use)
    report = await use.compliance.report()
    return answer(report, 200 if report.kept else 500)
