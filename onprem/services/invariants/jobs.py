"""I1: every job that was answered 2xx exists and reaches exactly one terminal state."""

from collections.abc import Iterator

from onprem.core.job import TERMINAL, JobStatus
from onprem.core.retention import GRACE_SECONDS
from onprem.services.idempotency import LIFETIME
from onprem.services.invariants.violation import Violation
from onprem.store.inspection import JobRow, Picture


def lives(jobs: list[JobRow], allowed_attempts: int, *, serving: bool) -> Iterator[Violation]:
    """Status, end, output and attempts of a job agree."""
    for job in jobs:
        if job.status is JobStatus.RUNNING and not serving:
            yield Violation("I1", f"job {job.id} is running, and no server is", left_over=True)
        if (job.status in TERMINAL) != (job.finished_at is not None):
            yield _contradicts(job, "end time")
        if (job.status in (JobStatus.SUCCEEDED, JobStatus.FAILED)) != (job.output_id is not None):
            yield _contradicts(job, "output")
        if (job.status is JobStatus.FAILED) != (job.error_code is not None):
            yield _contradicts(job, "error code")
        if not 0 <= job.attempts <= min(job.claims, allowed_attempts):
            sentence = f"job {job.id} had {job.attempts} attempts in {job.claims} runs"
            yield Violation("I1", sentence)


def promised(picture: Picture, now: float, metadata: float) -> Iterator[Violation]:
    """An idempotency key names a job that was answered 2xx, and is forgotten in time."""
    known = {job.id for job in picture.jobs}
    for row in picture.idempotency:
        late = now - row.expires_at
        if late > GRACE_SECONDS:
            sentence = f"the idempotency key of job {row.job_id} is {late:.0f} s past its deadline"
            yield Violation("I3", sentence)
        age = now - (row.expires_at - LIFETIME)
        if row.job_id not in known and age < metadata:
            yield Violation("I1", f"job {row.job_id} was accepted, and is gone")


def _contradicts(job: JobRow, what: str) -> Violation:
    return Violation("I1", f"job {job.id} is {job.status}, which its {what} contradicts")
