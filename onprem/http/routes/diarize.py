"""`POST /v1/diarize`: who spoke when, and with `transcription`, what was said."""

from typing import Any

from litestar import Request, Response, post
from litestar.di import NamedDependency

from onprem.core.requests import DiarizeRequest
from onprem.http.openapi.contract import Answer, Contract, Tag
from onprem.http.submission import IDEMPOTENCY_KEY, SUBMISSION_REFUSES, submitted
from onprem.http.views import JobCreated
from onprem.services.keys import Principal, Scope
from onprem.services.use_cases import UseCases


@post(
    "/v1/diarize",
    scope=Scope.JOBS_WRITE,
    contract=Contract(
        tag=Tag.CONTRACT,
        body=DiarizeRequest,
        example={
            "url": "media://calls/monday.wav",
            "exclusive": True,
            "transcription": True,
            "transcriptionConfig": {"language": "en"},
        },
        answers={200: Answer(JobCreated, description="The job is stored and will run.")},
        refuses=SUBMISSION_REFUSES,
        headers=IDEMPOTENCY_KEY,
        writes=True,
    ),
)
async def diarize(
    request: Request[Any, Any, Any],
    principal: NamedDependency[Principal],
    use: NamedDependency[UseCases],
) -> Response[bytes]:
    """Submit a job: who spoke when and, with `transcription`, what was said."""
    return await submitted(request, principal, use, DiarizeRequest, use.submission.diarize)
