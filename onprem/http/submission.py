"""The road of every POST that makes a job, whatever its body."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from litestar import Request, Response

from onprem.core.fieldwise import Conversion
from onprem.core.job import JobStatus
from onprem.core.requests import JobRequest
from onprem.errors import (
    IdempotencyInFlight,
    IdempotencyKeyReused,
    OnpremError,
    OperationDisabled,
    QueueFull,
)
from onprem.http.bodies import answer, decoded, read_raw
from onprem.http.views import JobCreated
from onprem.services.idempotency import Once
from onprem.services.keys import Principal
from onprem.services.submit import Submitted
from onprem.services.use_cases import UseCases

R = TypeVar("R", bound=JobRequest)

IDEMPOTENCY_KEY = {
    "Idempotency-Key": "1 to 255 printable ASCII characters. For 24 hours, the same request with "
    "the same key gets the first answer again and is not done again."
}
"""For the `headers` of a contract."""
IDEMPOTENCY_REFUSES: tuple[type[OnpremError], ...] = (IdempotencyKeyReused, IdempotencyInFlight)
SUBMISSION_REFUSES: tuple[type[OnpremError], ...] = (
    OperationDisabled,
    QueueFull,
    *IDEMPOTENCY_REFUSES,
)
"""For the `refuses` of a contract."""


async def submitted(
    request: Request[Any, Any, Any],
    principal: Principal,
    use: UseCases,
    into: type[R],
    submit: Callable[[Principal, Conversion[R], Once | None], Awaitable[Submitted]],
) -> Response[bytes]:
    """200 with the job's id, once for each idempotency key; 400 with every fault of the request."""
    raw = await read_raw(request)
    key = request.headers.get("idempotency-key")
    async with use.idempotency.once(principal, key, request.url.path, raw) as once:
        done = await submit(principal, decoded(raw, into), once)
    return answer(JobCreated(done.job_id, JobStatus.CREATED, done.warning))
