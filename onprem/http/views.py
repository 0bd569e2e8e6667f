"""Jobs as the API shows them. A field that has nothing to say is absent, never null."""

from datetime import UTC, datetime

import msgspec

from onprem.core.edits import TextEdit, TurnEdit
from onprem.core.job import JobStatus
from onprem.core.receipt import ArtefactKind, DeletionMethod, DeletionReason, Receipt
from onprem.core.speech import ModelRef
from onprem.runner.progress import Progress
from onprem.services.jobs import JobState, Page
from onprem.services.outputs import KeptEdits
from onprem.store.jobs import Job


class JobCreated(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """The answer to a submission."""

    job_id: str
    status: JobStatus
    warning: str | None = None


class JobView(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """`output` as stored; `expires_at` is when it goes, `output_expired_at` when it went.

    `stopping`: canceled, and its run has not come to an end. `queue_position`: among the waiting
    jobs of the project. `eta`: when it is likely to be done.
    """

    job_id: str
    status: JobStatus
    created_at: str
    updated_at: str
    output: msgspec.Raw | None = None
    expires_at: str | None = None
    output_expired_at: str | None = None
    engine: dict[str, ModelRef] | None = None
    progress: Progress | None = None
    stopping: bool = False
    queue_position: int | None = None
    eta: str | None = None
    acknowledged_at: str | None = None


def job_view(state: JobState) -> JobView:
    job = state.job
    deadline = None if job.output_due_at is None else iso(job.output_due_at)
    return JobView(
        job_id=job.id,
        status=job.status,
        created_at=iso(job.created_at),
        updated_at=iso(job.updated_at),
        output=None if state.output is None else msgspec.Raw(state.output),
        expires_at=None if state.output_expired else deadline,
        output_expired_at=deadline if state.output_expired else None,
        engine=job.engine,
        progress=state.progress,
        stopping=state.stopping,
        queue_position=state.queue_position,
        eta=None if state.eta is None else iso(state.eta),
        acknowledged_at=None if job.acknowledged_at is None else iso(job.acknowledged_at),
    )


class JobInPage(msgspec.Struct, frozen=True, rename="camel"):
    """The contract's short form of a job."""

    id: str
    status: JobStatus
    created_at: str


class JobPage(msgspec.Struct, frozen=True, rename="camel"):
    """`GET /v2/jobs`. Here the contract has a null: there is no further page."""

    items: list[JobInPage]
    next_cursor: str | None


def job_page(page: Page) -> JobPage:
    items = [JobInPage(job.id, job.status, iso(job.created_at)) for job in page.jobs]
    return JobPage(items, page.next_cursor)


class JobInList(msgspec.Struct, frozen=True, rename="camel"):
    """`id` and `job_id` are the same."""

    job_id: str
    id: str
    status: JobStatus
    created_at: str


class JobList(msgspec.Struct, frozen=True):
    """`GET /v1/jobs`; `total` counts all that would be found without bounds."""

    items: list[JobInList]
    total: int


def job_list(found: list[Job], total: int) -> JobList:
    items = [JobInList(job.id, job.id, job.status, iso(job.created_at)) for job in found]
    return JobList(items, total)


class EditsView(msgspec.Struct, frozen=True, rename="camel"):
    """The edits of an output, and when they go with it."""

    speakers: dict[str, str]
    diarization: list[TurnEdit]
    turn_level_transcription: list[TextEdit]
    expires_at: str
    warning: str | msgspec.UnsetType = msgspec.UNSET


def edits_view(kept: KeptEdits) -> EditsView:
    edits, ignored = kept.edits, ", ".join(sorted(kept.unknown))
    return EditsView(
        edits.speakers,
        edits.diarization,
        edits.turn_level_transcription,
        iso(kept.due_at),
        f"Ignored fields: {ignored}." if ignored else msgspec.UNSET,
    )


class ReceiptView(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A deletion receipt; the ledger keeps the same with times in seconds."""

    artefact_id: str
    kind: ArtefactKind
    created_at: str
    deleted_at: str
    reason: DeletionReason
    method: DeletionMethod
    verified: bool
    region: str
    wall_clock: str
    boot_id: str
    synchronised: bool
    job_id: str | None = None
    due_at: str | None = None


class ReceiptList(msgspec.Struct, frozen=True):
    """Receipts in the order of deletion."""

    receipts: list[ReceiptView]


def receipt_view(receipt: Receipt) -> ReceiptView:
    """A worker copy has no moment that it is due: it goes when its run ends."""
    in_memory = receipt.kind is ArtefactKind.WORKER_COPY
    return ReceiptView(
        artefact_id=receipt.artefact_id,
        kind=receipt.kind,
        created_at=iso(receipt.created_at),
        deleted_at=iso(receipt.deleted_at),
        reason=receipt.reason,
        method=receipt.method,
        verified=receipt.verified,
        region=receipt.region,
        wall_clock=iso(receipt.wall_clock),
        boot_id=receipt.boot_id,
        synchronised=receipt.synchronised,
        job_id=receipt.job_id,
        due_at=None if in_memory else iso(receipt.due_at),
    )


def iso(moment: float) -> str:
    """ISO 8601 in UTC with milliseconds."""
    text = datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
