"""Outputs that cannot be given as somebody asked."""

from onprem.errors.requests import RequestRefused


class OutputNotReady(RequestRefused):
    code = "output_not_ready"
    message = "The job has not finished."
    remedy = "Ask again once its status is `succeeded` or `failed`."


class OutputExpired(RequestRefused):
    code = "output_expired"
    message = "The output of this job is gone: it reached its deadline, or was deleted."
    remedy = "The job's receipts say when and why. Submit the recording again."


class OutputAbsent(RequestRefused):
    code = "output_absent"
    message = "The job ended as {status}: there is nothing to show or to correct."
    remedy = "Where it failed, `output.error` of the job says why. Submit it again."


class FormatUnavailable(RequestRefused):
    code = "format_not_available"
    message = "This output cannot be given as {format}."
    remedy = "Subtitles need a job with `transcription: true`; `format=json` always works."
