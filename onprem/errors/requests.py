"""What a caller can mend, and what the store cannot do now."""

from onprem.errors.base import OnpremError
from onprem.faults import Fault


class RequestRefused(OnpremError):
    """The caller can mend it."""


class InvalidRequest(RequestRefused):
    code = "invalid_request"
    message = "Invalid request"
    remedy = "Mend each field named in `errors`."

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        super().__init__()


class PurgeRefused(InvalidRequest):
    code = "purge_refused"
    message = "Nothing was purged."
    remedy = "Select what to purge, look at it with a dry run, then confirm it."


class Unauthenticated(RequestRefused):
    code = "unauthenticated"
    message = "The API key is missing, unknown, expired or revoked."
    remedy = "Send `Authorization: Bearer <key>`; `onprem keys create` makes one."


class ScopeMissing(RequestRefused):
    code = "scope_missing"
    message = "This API key lacks the scope {scope}."
    remedy = "Use a key that has it; `onprem keys create --scope {scope}` makes one."


class OperationDisabled(RequestRefused):
    code = "operation_disabled"
    message = "Jobs of the kind {operation} are switched off for this project."
    remedy = "An operator can allow them: `onprem projects set`."


class NotFound(RequestRefused):
    code = "not_found"
    message = "There is no such {what}."
    remedy = "Check the id, and that the key belongs to the project that owns it."


class RateLimited(RequestRefused):
    code = "rate_limited"
    message = "The project has sent its {limit:d} requests of this minute to this endpoint."
    remedy = "Wait as long as Retry-After says, then send it again."


class StreamingDisabled(RequestRefused):
    code = "streaming_disabled"
    message = "Streaming is disabled."
    remedy = "This version has no live endpoint; send whole recordings to POST /v1/diarize."


class HostNotAllowed(RequestRefused):
    code = "host_not_allowed"
    message = "This server does not answer for that host name."
    remedy = "Add the name to server.allowed_hosts, or set server.public_url."


class UploadLinkInvalid(RequestRefused):
    code = "upload_link_invalid"
    message = "This upload link is unknown or expired."
    remedy = "Ask for a new one with POST /v1/media/input; a link lives one hour."


class UploadLinkUsed(RequestRefused):
    code = "upload_link_used"
    message = "This upload link was used already."
    remedy = "Ask for a new one with POST /v1/media/input; a link serves one upload."


class UploadIncomplete(RequestRefused):
    code = "upload_incomplete"
    message = "The upload broke off before its end; nothing was kept."
    remedy = "Send it again; the same link still serves."


class MediaTooLarge(RequestRefused):
    code = "media_too_large"
    message = "The upload is larger than {limit:d} bytes."
    remedy = "Send a compressed format, or raise limits.media_size."


class BodyTooLarge(RequestRefused):
    code = "body_too_large"
    message = "The request body is larger than {limit:d} bytes."
    remedy = "Send audio with PUT to an upload link; job requests are small."


class FormStalled(RequestRefused):
    code = "form_stalled"
    message = "Nothing of the form, or too little, arrived in {seconds:d} s; nothing was kept."
    remedy = "Send it again."


class NoRoom(OnpremError):
    code = "no_room"
    message = "The server has no memory for another recording now."
    remedy = "Try again when others are done, or raise limits.worker_memory."
