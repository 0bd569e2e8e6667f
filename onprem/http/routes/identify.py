"""`POST /v1/identify`: who spoke when, with the names of those whose voiceprints are sent along."""

from typing import Any

from litestar import Request, Response, post
from litestar.di import NamedDependency

from onprem.core.voice_requests import IdentifyRequest
from onprem.http.openapi.contract import Answer, Contract, Tag
from onprem.http.submission import IDEMPOTENCY_KEY, SUBMISSION_REFUSES, submitted
from onprem.http.views import JobCreated
from onprem.services.keys import Principal, Scope
from onprem.services.use_cases import UseCases


@post(
    "/v1/identify",
    scope=Scope.JOBS_WRITE,
    contract=Contract(
        tag=Tag.CONTRACT,
        body=IdentifyRequest,
        example={
            "url": "media://calls/monday.wav",
            "voiceprints": [{"label": "Sam", "voiceprint": "AQ5jYW1wcGx1cy16aC1lbg…"}],
            "matching": {"exclusive": True, "threshold": 0},
        },
        answers={200: Answer(JobCreated, description="The job is stored and will run.")},
        refuses=SUBMISSION_REFUSES,
        headers=IDEMPOTENCY_KEY,
        writes=True,
    ),
)
async def identify(
    request: Request[Any, Any, Any],
    principal: NamedDependency[Principal],
    use: NamedDependency[UseCases],
) -> Response[bytes]:
    """Submit a job: who spoke when, by the names that come with voiceprints."""
    return await submitted(request, principal, use, IdentifyRequest, use.submission.identify)
