"""Acts: what people and the server did that an auditor asks about, as the ledger notes it."""

import enum
from typing import Any

import msgspec


class ActKind(enum.StrEnum):
    """What was done."""

    STARTED = "started"
    """The server started: `details` has its version and the digest of its configuration."""
    KEY_CREATED = "key_created"
    KEY_REVOKED = "key_revoked"
    PROJECT_CREATED = "project_created"
    PROJECT_CHANGED = "project_changed"
    PROJECT_ERASED = "project_erased"
    WEBHOOK_SECRET_SHOWN = "webhook_secret_shown"  # noqa: S105  a name
    WEBHOOK_SECRET_ROTATED = "webhook_secret_rotated"  # noqa: S105  a name
    VOICEPRINT_KEY_SHOWN = "voiceprint_key_shown"
    JOB_CANCELED = "job_canceled"
    """By an operator, as the next two: what owners do shows in receipts."""
    JOB_DELETED = "job_deleted"
    MEDIA_DELETED = "media_deleted"
    PURGED = "purged"
    SHARED = "shared"
    CLOCK_ACCEPTED = "clock_accepted"
    """An operator took the wall clock for the truth, against the retention clock."""
    BACKUP_CREATED = "backup_created"
    EVIDENCE_CREATED = "evidence_created"


class Act(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One act. `subject` is the id of what it was done to.

    `actor` is `key:ID`, `user:UID` for the command line, or `server`. Nothing in it is content:
    no URL, no label, no name that somebody chose.
    """

    act: ActKind
    actor: str
    project_id: str | None = None
    subject: str | None = None
    details: dict[str, Any] = {}


SERVER = "server"


def key_actor(key_id: str) -> str:
    return f"key:{key_id}"


def user_actor(uid: int) -> str:
    return f"user:{uid}"
