"""I3: nothing is on the disk past its deadline, and no deadline is later than was promised."""

from collections.abc import Iterator

from onprem.core.receipt import ArtefactKind
from onprem.core.retention import GRACE_SECONDS, MEDIA_CEILING, OUTPUT_CEILING
from onprem.services.invariants.deletions import Deletions
from onprem.services.invariants.names import named
from onprem.services.invariants.violation import Violation
from onprem.store.artefacts import Artefact
from onprem.store.inspection import JobRow, Picture

_CEILINGS = {
    ArtefactKind.MEDIA: MEDIA_CEILING,
    ArtefactKind.OUTPUT: OUTPUT_CEILING,
    ArtefactKind.EDITS: OUTPUT_CEILING,
}
_ROUNDING = 0.001
"""Seconds."""


def kept(
    picture: Picture, deletions: Deletions, now: float, *, serving: bool
) -> Iterator[Violation]:
    jobs = {job.id: job for job in picture.jobs}
    for each in picture.live:
        artefact = each.artefact
        what = named(artefact.kind, artefact.id)
        late = now - artefact.due_at
        if artefact.kind is not ArtefactKind.WORKER_COPY and late > GRACE_SECONDS:
            yield Violation("I3", f"{what} is {late:.0f} s past its deadline")
        ceiling = _CEILINGS.get(artefact.kind)
        if ceiling is not None and artefact.due_at > artefact.created_at + ceiling + _ROUNDING:
            yield Violation("I3", f"{what} is to live longer than {ceiling // 3600} h")
        job = jobs.get(artefact.job_id or "")
        if job is not None:
            yield from _of_job(artefact, job, deletions, now, serving=serving)


def _of_job(
    artefact: Artefact, job: JobRow, deletions: Deletions, now: float, *, serving: bool
) -> Iterator[Violation]:
    match artefact.kind:
        case ArtefactKind.REQUEST if job.finished_at is not None:
            stopped_between = now - job.finished_at <= GRACE_SECONDS
            if not (stopped_between and serving):
                sentence = f"the request of job {job.id} outlives it"
                yield Violation("I3", sentence, left_over=stopped_between)
        case ArtefactKind.OUTPUT:
            if job.output_due_at is not None and artefact.due_at > job.output_due_at + _ROUNDING:
                yield Violation("I3", f"the output of job {job.id} outlives what the job shows")
        case ArtefactKind.EDITS if job.output_id in deletions.at:
            if now - deletions.at[job.output_id] > GRACE_SECONDS:
                yield Violation("I3", f"the edits of job {job.id} outlive its output")
