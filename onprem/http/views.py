"""Jobs as the API shows them. A field that has nothing to say is absent, never null."""

from datetime import UTC, datetime

import msgspec

from onprem.core.job import JobStatus
from onprem.core.receipt import ArtefactKind, DeletionMethod, DeletionReason, Receipt
from onprem.core.speech import ModelRef
from onprem.runner.progress import Progress
from onprem.services.jobs import JobState


class JobCreated(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """The answer to a submission."""

    job_id: str
    status: JobStatus
    warning: str | None = None


class JobView(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """`output` as stored; `expires_at` is when it goes, `output_expired_at` when it went."""

    job_id: str
    status: JobStatus
    created_at: str
    updated_at: str
    output: msgspec.Raw | None = None
    expires_at: str | None = None
    output_expired_at: str | None = None
    engine: dict[str, ModelRef] | None = None
    progress: Progress | None = None


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
    job_id: str | None = None
    due_at: str | None = None


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
        job_id=receipt.job_id,
        due_at=None if in_memory else iso(receipt.due_at),
    )


def iso(moment: float) -> str:
    """ISO 8601 in UTC with milliseconds."""
    text = datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
