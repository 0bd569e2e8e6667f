"""`POST /v1/voiceprint`: the voice of one person, to be recognised by later."""

from typing import Any

from litestar import Request, Response, post
from litestar.di import NamedDependency

from onprem.core.voice_requests import VoiceprintRequest
from onprem.http.openapi.contract import Answer, Contract, Tag
from onprem.http.submission import IDEMPOTENCY_KEY, SUBMISSION_REFUSES, submitted
from onprem.http.views import JobCreated
from onprem.services.keys import Principal, Scope
from onprem.services.use_cases import UseCases


@post(
    "/v1/voiceprint",
    scope=Scope.JOBS_WRITE,
    contract=Contract(
        tag=Tag.CONTRACT,
        body=VoiceprintRequest,
        example={"url": "media://voices/sam.wav", "consentRef": "HR-2026-0117"},
        answers={200: Answer(JobCreated, description="The job is stored and will run.")},
        refuses=SUBMISSION_REFUSES,
        headers=IDEMPOTENCY_KEY,
        writes=True,
    ),
)
async def voiceprint(
    request: Request[Any, Any, Any],
    principal: NamedDependency[Principal],
    use: NamedDependency[UseCases],
) -> Response[bytes]:
    """Submit a job: a voiceprint of the one person who speaks in at most 30 s of recording."""
    return await submitted(request, principal, use, VoiceprintRequest, use.submission.voiceprint)
