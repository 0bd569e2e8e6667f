"""I8: a result is delivered, or is tried until its retries end; what is needed for it goes then."""

from collections.abc import Iterator

from onprem.core.delivery import DeliveryState
from onprem.core.receipt import ArtefactKind
from onprem.core.retention import GRACE_SECONDS
from onprem.services.invariants.deletions import Deletions
from onprem.services.invariants.violation import Violation
from onprem.store.inspection import DeliveryRow, JobRow, Picture

STUCK_SECONDS = 600.0
"""One whose destination is gone ends at its next look: this is many of them."""


def told(picture: Picture, now: float, *, serving: bool) -> Iterator[Violation]:
    """State, end and next try of a delivery agree with each other and with its job."""
    jobs = {job.id: job for job in picture.jobs}
    alive = {each.artefact.id for each in picture.live}
    for each in picture.deliveries:
        waits = each.state is DeliveryState.WAITING
        if waits == (each.ended_at is not None):
            yield _of(each, f"is {each.state}, which its end time contradicts")
        if not waits and each.next_at is not None:
            yield _of(each, f"is {each.state}, and is to be tried again")
        job = jobs.get(each.job_id)
        if job is None:
            continue  # a foreign key, which SQLite has checked
        if job.finished_at is None and (not waits or each.next_at is not None):
            yield _of(each, "did not wait for the end of its job")
        if job.finished_at is not None and waits and each.next_at is None:
            yield _of(each, "waits, and its job has ended")
        if job.deleted_at is not None and waits:
            yield _of(each, "waits, and its job was deleted")
        if serving and _stuck(each, job, alive, now):
            yield _of(each, "waits, and its destination is gone")


def forgotten(picture: Picture, deletions: Deletions, now: float) -> Iterator[Violation]:
    """A destination outlives no delivery, and a digest no output."""
    rows: dict[str, list[DeliveryRow]] = {}
    for row in picture.deliveries:
        rows.setdefault(row.job_id, []).append(row)
    jobs = {job.id: job for job in picture.jobs}
    alive = {each.artefact.id for each in picture.live}
    for each in picture.live:
        job = jobs.get(each.artefact.job_id or "")
        if each.artefact.kind is ArtefactKind.DESTINATION and job is not None:
            ended = _last_end(job, rows.get(job.id, []))
            if ended is not None and now - ended > GRACE_SECONDS:
                yield Violation("I3", f"the destination of job {job.id} outlives its deliveries")
    for job in picture.jobs:
        if job.output_id in alive or not any(row.sha256 for row in rows.get(job.id, [])):
            continue
        gone = deletions.at.get(job.output_id or b"", 0.0)
        if now - gone > GRACE_SECONDS:
            sentence = f"a delivery of job {job.id} keeps the digest of an output that is gone"
            yield Violation("I3", sentence)


def _last_end(job: JobRow, deliveries: list[DeliveryRow]) -> float | None:
    """When the last of the job and its deliveries ended; None: they have not all."""
    ends = [job.finished_at, *(each.ended_at for each in deliveries)]
    return None if None in ends else max(end for end in ends if end is not None)


def _stuck(each: DeliveryRow, job: JobRow, alive: set[bytes], now: float) -> bool:
    return (
        each.state is DeliveryState.WAITING
        and each.next_at is not None
        and now - each.next_at > STUCK_SECONDS
        and job.destination_id not in alive
    )


def _of(each: DeliveryRow, what: str) -> Violation:
    return Violation("I8", f"delivery {each.id} of job {each.job_id} {what}")
