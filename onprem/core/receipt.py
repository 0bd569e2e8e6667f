"""Deletion receipts: what was deleted, why and when, without a trace of its content."""

import enum

import msgspec


class ArtefactKind(enum.StrEnum):
    """Everything that can hold what somebody said."""

    MEDIA = "media"
    REQUEST = "request"
    DESTINATION = "destination"
    """Where a job's results are sent: the URLs of its webhook and of its delivery."""
    OUTPUT = "output"
    EDITS = "edits"
    """Corrections of an output by its owner; they live and die with it."""
    CANARY = "canary"
    """A synthetic record, made to see it vanish."""
    WORKER_COPY = "worker_copy"


class DeletionReason(enum.StrEnum):
    """Why something was deleted."""

    DEADLINE = "deadline"
    """Its deadline passed."""
    JOB_ENDED = "job_ended"
    """The job that needed it reached a terminal state."""
    DELIVERIES_ENDED = "deliveries_ended"
    """No delivery of its job is left to make."""
    DELIVERED = "delivered"
    """Its owner has it."""
    REQUESTED = "requested"
    """Its owner asked for it."""
    PURGED = "purged"
    """An operator purged it."""
    PROJECT_ERASED = "project_erased"
    """An operator erased its whole project."""
    RESTORED = "restored_from_backup"
    """It was not in the backup that was restored: backups hold no content."""
    REPLACED = "replaced"
    """A newer version of the same media was uploaded, or newer edits of an output."""
    CRASH = "crash"
    """The process that held it in memory died, or died while it deleted it."""
    INTERRUPTED = "interrupted"
    """The server was stopped; the job will make a new copy."""


class DeletionMethod(enum.StrEnum):
    """How it was deleted."""

    MEMORY_FREED = "memory_freed"
    """An anonymous memory file was closed; no byte of it was on a disk."""
    KEY_OVERWRITTEN = "key_overwritten"
    """Its key was overwritten in place, its ciphertext unlinked or zeroed."""
    KEY_ABSENT = "key_absent"
    """Neither its key nor its ciphertext came along: a backup was restored, which holds none."""


class Receipt(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One deletion. Times are seconds of retention time; `verified` by reading back.

    `wall_clock`, `boot_id` and `synchronised` are what the machine's clock showed at the deletion.
    """

    artefact_id: str
    kind: ArtefactKind
    created_at: float
    due_at: float
    deleted_at: float
    reason: DeletionReason
    method: DeletionMethod
    verified: bool
    region: str
    project_id: str
    wall_clock: float
    boot_id: str
    synchronised: bool
    job_id: str | None = None
