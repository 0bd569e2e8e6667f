"""How much the store holds now, in numbers without names: for metrics and compliance."""

import msgspec

from onprem.core.receipt import ArtefactKind
from onprem.store.database import Database

BY_KIND = (
    "SELECT kind, count(*), min(created_at), sum(due_at <= ?), sum(due_at < ?) FROM artefact"
    " WHERE kind != 'worker_copy' GROUP BY kind"
)
"""From the index alone: the rows hold ciphertext, and each look would go through all of it."""


class Retained(msgspec.Struct, frozen=True):
    """Live artefacts of one kind: `due` are past their deadline, `overdue` by more than a grace.

    `oldest_at` in seconds since the epoch; None: there is none.
    """

    kind: ArtefactKind
    live: int = 0
    oldest_at: float | None = None
    due: int = 0
    overdue: int = 0


async def by_kind(database: Database, *, now: float, grace: float) -> list[Retained]:
    """Every kind but worker copies, which no deadline ends."""
    rows = await database.fetchall(BY_KIND, (now, now - grace))
    found = {row[0]: Retained(ArtefactKind(row[0]), *row[1:]) for row in rows}
    return [
        found.get(kind, Retained(kind))
        for kind in ArtefactKind
        if kind is not ArtefactKind.WORKER_COPY
    ]


class LiveCopy(msgspec.Struct, frozen=True):
    """The worker copy of a job; `created_at` in seconds since the epoch."""

    job_id: str
    created_at: float


async def worker_copies(database: Database) -> list[LiveCopy]:
    rows = await database.fetchall(
        "SELECT job_id, created_at FROM artefact WHERE kind = 'worker_copy'"
    )
    return [LiveCopy(*row) for row in rows]


class QueueNow(msgspec.Struct, frozen=True):
    """`oldest_since`, in seconds since the epoch: when the wait of the first of them began."""

    waiting: int
    oldest_since: float | None
    running: int


async def queue(database: Database) -> QueueNow:
    row = await database.fetchone(
        "SELECT count(*), min(waits_since), (SELECT count(*) FROM job WHERE status = 'running')"
        " FROM job WHERE status IN ('created', 'pending')"
    )
    assert row is not None
    return QueueNow(*row)


async def deliveries_waiting(database: Database) -> int:
    """Of jobs that have ended."""
    row = await database.fetchone(
        "SELECT count(*) FROM delivery WHERE state = 'waiting' AND next_at IS NOT NULL"
    )
    assert row is not None
    return int(row[0])


async def free_key_slots(database: Database) -> int:
    """Before the record-key file has to grow."""
    row = await database.fetchone("SELECT count(*) FROM free_slot")
    assert row is not None
    return int(row[0])
