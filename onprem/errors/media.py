"""What a caller can mend about uploads, downloads and quotas."""

from onprem.errors.requests import RequestRefused


class MediaQuotaExceeded(RequestRefused):
    code = "media_quota_exceeded"
    message = "With this upload the project would keep more than its {limit:d} bytes of media."
    remedy = (
        "Delete media that is not needed (DELETE /v1/media), wait for deadlines to pass, or have "
        "the quota raised: `onprem projects set NAME --media-quota`."
    )


class DownloadLinkInvalid(RequestRefused):
    code = "download_link_invalid"
    message = "This download link is unknown or expired."
    remedy = "Ask for a new one with POST /v1/media/output; a link lives one hour."


class MediaGone(RequestRefused):
    code = "media_gone"
    message = "The media of this link was deleted, or has reached its deadline."
    remedy = "Upload it again if you still have it: nothing of it is left here."


class RangeNotSatisfiable(RequestRefused):
    code = "range_not_satisfiable"
    message = "The media has {size:d} bytes; the range asked for begins behind them."
    remedy = "Ask for a range within it, or leave the Range header out."
