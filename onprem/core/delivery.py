"""Deliveries: a job's result on its way to where its owner wants it.

waiting ──a try fails──▶ waiting … ──the last one fails──▶ failed
   │                        └──one succeeds──▶ delivered
   └──there is nothing to deliver──▶ skipped
"""

import enum

import msgspec

from onprem.core.job import JobStatus


class DeliveryKind(enum.StrEnum):
    """Named as the field of the request that asks for it."""

    WEBHOOK = "webhook"
    DELIVER = "deliver"


class DeliveryState(enum.StrEnum):
    WAITING = "waiting"
    """For the job's end, or for the next try."""
    DELIVERED = "delivered"
    """Answered with a 2xx."""
    FAILED = "failed"
    """All tries failed, or its destination was deleted at its deadline."""
    SKIPPED = "skipped"
    """The job ended without an output that could be put anywhere, or was deleted."""


class FailureReason(enum.StrEnum):
    """Why a try failed, in the words of the pyannoteAI contract."""

    HTTP_TIMEOUT = "http_timeout"
    TOO_MANY_REDIRECTS = "too_many_redirects"
    CONNECTION_FAILED = "connection_failed"
    SSL_ERROR = "ssl_error"
    HTTP_ERROR = "http_error"
    UNKNOWN_ERROR = "unknown_error"


class Attempt(msgspec.Struct, frozen=True, omit_defaults=True):
    """One try, `at` seconds since the epoch. `reason` is None for the one that succeeded;
    `http_status` is what was answered last, if anything was."""

    at: float
    reason: FailureReason | None = None
    http_status: int | None = None


RETRY_SECONDS = (0.0, 60.0, 300.0)
"""Pauses before the first, second and third retry."""


DESTINATION_SECONDS = 900.0
"""A destination outlives its job by this at least: all tries take less than half of it."""


def next_attempt_at(failed: int, now: float) -> float | None:
    """When to try again after `failed` failures, the last one now; None: not any more."""
    return now + RETRY_SECONDS[failed - 1] if failed <= len(RETRY_SECONDS) else None


class _Notice(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    job_id: str
    status: JobStatus
    output: msgspec.Raw | None = None


def webhook_body(job_id: str, status: JobStatus, output: bytes | None) -> bytes:
    """What a webhook carries; `output` is JSON as it is stored."""
    return msgspec.json.encode(
        _Notice(job_id, status, None if output is None else msgspec.Raw(output))
    )
