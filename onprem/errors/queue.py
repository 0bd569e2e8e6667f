"""Refusals around jobs that wait, run or have ended, and around requests that are repeated."""

from onprem.errors.requests import RequestRefused


class JobFinished(RequestRefused):
    code = "job_finished"
    message = "The job has ended already: it {status}."
    remedy = "There is nothing to cancel; DELETE /v1/jobs/{{jobId}} deletes its output."


class QueueFull(RequestRefused):
    code = "queue_full"
    message = "The queue is full: {limit:d} jobs wait or run."
    remedy = "Send it again after Retry-After. An operator can raise limits.queue_length."


class ProjectQueueFull(QueueFull):
    message = "The queue of this project is full: {limit:d} of its jobs wait or run."
    remedy = "Send it again after Retry-After. An operator can raise the project's quota."


class IdempotencyKeyReused(RequestRefused):
    code = "idempotency_key_reused"
    message = "This Idempotency-Key was sent before with another request."
    remedy = "Use a new key for each new request; a key is remembered for 24 hours."


class IdempotencyInFlight(RequestRefused):
    code = "idempotency_in_flight"
    message = "A request with this Idempotency-Key is still being answered."
    remedy = "Send it again after Retry-After: the answer will be the first one's."
