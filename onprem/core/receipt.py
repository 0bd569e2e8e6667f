"""Deletion receipts: what was deleted, why and when, without a trace of its content.

Every entry of the ledger carries the digest of the one before it, so that a removed, swapped or
edited entry breaks the chain for everyone who holds a later digest.
"""

import enum
import hashlib
from typing import Any

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


class Receipt(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One deletion. Times are seconds since the epoch; `verified` by reading back."""

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
    job_id: str | None = None


GENESIS = bytes(32)
"""The digest before the first entry."""


def chain_digest(previous: bytes, seq: int, at: float, kind: str, body: bytes) -> bytes:
    """SHA-256 over the previous digest and this entry's canonical bytes."""
    entry = msgspec.json.encode([previous.hex(), seq, at, kind, body.decode()])
    return hashlib.sha256(entry).digest()


def canonical(body: Any) -> bytes:
    """The one JSON form of a ledger body: sorted keys, no spaces."""
    return msgspec.json.encode(body, order="sorted")
