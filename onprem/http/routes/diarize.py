"""`POST /v1/diarize`: who spoke when, and with `transcription`, what was said."""

from typing import Any

from litestar import Request, Response, post
from litestar.di import NamedDependency

from onprem.core.job import JobStatus
from onprem.core.requests import DiarizeRequest
from onprem.http.bodies import answer, read_body
from onprem.http.views import JobCreated
from onprem.services.keys import Principal, Scope
from onprem.services.use_cases import UseCases


@post("/v1/diarize", scope=Scope.JOBS_WRITE)
async def diarize(
    request: Request[Any, Any, Any],
    principal: NamedDependency[Principal],
    use: NamedDependency[UseCases],
) -> Response[bytes]:
    """200 with the job's id; 400 with every fault of the request."""
    submitted = await use.submission.diarize(principal, await read_body(request, DiarizeRequest))
    return answer(JobCreated(submitted.job_id, JobStatus.CREATED, submitted.warning))
