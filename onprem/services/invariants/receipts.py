"""I4: every artefact ever made is live or has a receipt, never both."""

from collections.abc import Iterator

from onprem.core.job import TERMINAL, JobKind, JobStatus
from onprem.core.receipt import ArtefactKind
from onprem.services.invariants.deletions import Deletions
from onprem.services.invariants.violation import Violation
from onprem.store.inspection import JobRow, Picture

STOPPING_SECONDS = 900.0
"""A canceled run ends at its next cancel point. Clustering a day's recording has none."""


def live_or_receipted(
    picture: Picture, deletions: Deletions, floor: float | None
) -> Iterator[Violation]:
    """`floor`: when the oldest entry was written that the ledger has, if it was pruned."""
    alive = {each.artefact.id for each in picture.live}
    for record in alive & deletions.at.keys():
        yield Violation("I4", f"artefact {record.hex()} is live and has a receipt")
    for job in picture.jobs:
        if floor is not None and job.created_at <= floor:
            continue  # its receipts may have been pruned
        for held in job.held:
            if held is not None and held not in alive | deletions.at.keys():
                sentence = f"artefact {held.hex()} of job {job.id} is gone without a receipt"
                yield Violation("I4", sentence)
    edits = {job.edits_id for job in picture.jobs}
    for each in picture.live:
        artefact = each.artefact
        if artefact.kind is ArtefactKind.EDITS and artefact.id not in edits:
            sentence = f"the edits {artefact.id.hex()} were replaced, and have no receipt"
            yield Violation("I4", sentence)


def worker_copies(picture: Picture, now: float, *, serving: bool) -> Iterator[Violation]:
    """Copies in memory: each run has a row for its own, and none outlives its run."""
    jobs = {job.id: job for job in picture.jobs}
    holding = set()
    for each in picture.live:
        job_id = each.artefact.job_id
        if each.artefact.kind is not ArtefactKind.WORKER_COPY or job_id is None:
            continue
        holding.add(job_id)
        if not (serving and _in_work(jobs.get(job_id), now)):
            sentence = f"job {job_id} is not running, and its worker copy has no receipt"
            yield Violation("I4", sentence, left_over=not serving)
    for job in picture.jobs:
        if job.status is JobStatus.RUNNING and job.id not in holding:
            yield Violation("I4", f"job {job.id} is running without a record of its worker copy")


def _in_work(job: JobRow | None, now: float) -> bool:
    """Whether its copy may be in memory: it runs, stops, or holds what its client has sent."""
    if job is None:
        return False
    if job.status in TERMINAL:
        return job.finished_at is not None and now - job.finished_at <= STOPPING_SECONDS
    return job.status is JobStatus.RUNNING or job.kind is JobKind.TRANSCRIBE
