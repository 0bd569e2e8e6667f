"""Errors in the shape that OpenAI's clients read, on the paths where they are met."""

import msgspec
from litestar import Response
from litestar.types import Scope

from onprem import errors
from onprem.errors import CouldNotLoadAudio, JobFailure
from onprem.faults import Fault

_PATHS = ("/v1/audio/", "/v1/models/")

_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
"""Of other statuses below 500 it is `invalid_request_error`, of those above `server_error`."""

_FAILURES: dict[type[JobFailure], int] = {
    CouldNotLoadAudio: 400,
    errors.ReferenceUnusable: 400,
    errors.TranslationUnsupported: 400,
    errors.WorkerMemoryExceeded: 413,
    errors.RecordingLost: 503,
    errors.QueueExpired: 503,
}
"""Any other failed job is a 500."""

CANCELED_STATUS = 410
"""Somebody canceled the job. Not a 409: OpenAI's client would send it again."""


class OpenAIError(msgspec.Struct, frozen=True):
    """`param` names the field at fault; `code` is ours, and stable."""

    message: str
    type: str
    param: str | None
    code: str


class OpenAIErrorResponse(msgspec.Struct, frozen=True):
    """The body of every error of the OpenAI audio API."""

    error: OpenAIError


def speaks_openai(scope: Scope) -> bool:
    """Whether the request is for a path of the OpenAI API."""
    path = scope["path"]
    return path == "/v1/models" or path.startswith(_PATHS)


def openai_error(status: int, message: str, code: str, param: str | None = None) -> OpenAIError:
    kind = "server_error" if status >= 500 else _TYPES.get(status, "invalid_request_error")
    return OpenAIError(message, kind, param, code)


def of_faults(faults: list[Fault], code: str) -> OpenAIError:
    """All faults in one sentence; `param` is the first."""
    text = " ".join(f"{fault.field}: {fault.message}." for fault in faults)
    return openai_error(400, text, code, faults[0].field if faults else None)


def failure_status(code: str) -> int:
    """The status of an answer about a job that failed with `code`."""
    for kind, status in _FAILURES.items():
        if code in {kind.code, *(each.code for each in kind.__subclasses__())}:
            return status
    return 500


def answer_of(error: OpenAIError, status: int) -> Response[bytes]:
    body = msgspec.json.encode(OpenAIErrorResponse(error))
    return Response(body, status_code=status, media_type="application/json")
