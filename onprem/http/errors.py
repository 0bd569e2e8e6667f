"""The one map from errors to HTTP: status and body in the shapes of the pyannoteAI contract."""

import logging
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException

from onprem import errors
from onprem.errors import (
    InvalidRequest,
    OnpremError,
    OutputNotReady,
    RangeNotSatisfiable,
    StoreBusy,
    described,
)
from onprem.faults import Fault
from onprem.http.openai.errors import answer_of, of_faults, openai_error, speaks_openai
from onprem.ids import new_request_id

logger = logging.getLogger(__name__)

STATUS: dict[type[OnpremError], int] = {
    errors.InvalidRequest: 400,
    errors.UploadIncomplete: 400,
    errors.Unauthenticated: 401,
    errors.ScopeMissing: 403,
    errors.OperationDisabled: 403,
    errors.StreamingDisabled: 403,
    errors.UploadLinkInvalid: 403,
    errors.DownloadLinkInvalid: 403,
    errors.NotFound: 404,
    errors.FormStalled: 408,
    errors.UploadLinkUsed: 409,
    errors.JobFinished: 409,
    errors.IdempotencyKeyReused: 409,
    errors.IdempotencyInFlight: 409,
    errors.OutputNotReady: 409,
    errors.OutputAbsent: 409,
    errors.FormatUnavailable: 409,
    errors.OutputExpired: 410,
    errors.MediaGone: 410,
    errors.BodyTooLarge: 413,
    errors.MediaTooLarge: 413,
    errors.MediaQuotaExceeded: 413,
    errors.RangeNotSatisfiable: 416,
    errors.HostNotAllowed: 421,
    errors.RateLimited: 429,
    errors.QueueFull: 429,
    errors.ProjectQueueFull: 429,
    errors.NoRoom: 503,
    errors.StoreBusy: 503,
    errors.PurgeIncomplete: 503,
    errors.LedgerMoved: 503,
    errors.PurgeFailed: 500,
    errors.StorageFull: 507,
}
"""Anything else is a 500, in words that are for the operator: the caller cannot mend it."""


class FieldError(msgspec.Struct, frozen=True):
    field: str
    message: str


class ValidationErrorResponse(msgspec.Struct, frozen=True):
    """The contract's body of a 400."""

    message: str
    errors: list[FieldError]


class ApiError(msgspec.Struct, frozen=True, rename="camel"):
    """The contract's body of all other errors; `code` is ours, and stable."""

    request_id: str
    message: str
    code: str


def refuse(request: Request[Any, Any, Any], error: OnpremError) -> Response[bytes]:
    """An error of ours. What the caller cannot mend is written to the log in full."""
    if isinstance(error, InvalidRequest):
        if speaks_openai(request.scope):
            return answer_of(of_faults(error.faults, error.code), 400)
        fields = [FieldError(fault.field, fault.message) for fault in error.faults]
        return _answer(ValidationErrorResponse(str(error), fields), 400)
    status = STATUS.get(type(error))
    request_id = new_request_id()
    if status is None or status >= 500:
        logger.error("request %s: %s: %s", request_id, error.code, error)
    told = OnpremError() if status is None else error
    answer = _told(request, status or 500, request_id, told.sentence, error.code)
    wait = 5 if isinstance(error, StoreBusy | OutputNotReady) else error.facts.get("retry_after")
    if wait is not None:
        answer.headers["Retry-After"] = str(wait)
    if isinstance(error, RangeNotSatisfiable):
        answer.headers["Content-Range"] = f"bytes */{error.facts['size']}"
    return answer


def framework_refusal(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """What litestar refuses by itself: an unknown path, a wrong method, a broken request."""
    status = error.status_code
    if status >= 500:
        return broken(request, error)
    message = _FRAMEWORK.get(status, _BROKEN_REQUEST)
    if status == 400:
        answer = refuse(request, InvalidRequest([Fault("request", message)]))
    else:
        answer = _told(request, status, new_request_id(), message, f"http_{status}")
    answer.headers.update(error.headers or {})
    return answer


_BROKEN_REQUEST = "This request cannot be understood."
_FRAMEWORK = {
    404: "There is no such path. See docs/api.md for the paths that this server knows.",
    405: "This path does not know that method.",
}


def broken(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """A fault of ours. Its text may quote content, so only its type is written down."""
    request_id = new_request_id()
    logger.error("request %s broke: %s", request_id, described(error))
    return _told(request, 500, request_id, OnpremError().sentence, OnpremError.code)


def _told(
    request: Request[Any, Any, Any], status: int, request_id: str, message: str, code: str
) -> Response[bytes]:
    """In the shape that the clients of this path read."""
    if speaks_openai(request.scope):
        return answer_of(openai_error(status, message, code), status)
    return _answer(ApiError(request_id, message, code), status)


def _answer(body: msgspec.Struct, status: int) -> Response[bytes]:
    return Response(msgspec.json.encode(body), status_code=status, media_type="application/json")
