"""Deliveries: one row for each webhook and each `deliver` of a job. No URL, and no content.

A row is made with its job, and due in the transaction that ends the job: no end is untold.
"""

import msgspec

from onprem.core.delivery import Attempt, DeliveryKind, DeliveryState
from onprem.core.job import JobStatus
from onprem.store.database import Database, Row, Transaction

_COLUMNS = "id, kind, state, next_at, attempts, ended_at, bytes, sha256"


class Delivery(msgspec.Struct, frozen=True):
    """Times in seconds since the epoch. `bytes` and `sha256` of the body that arrived, if that
    held the output."""

    id: str
    kind: DeliveryKind
    state: DeliveryState
    next_at: float | None
    attempts: list[Attempt]
    ended_at: float | None = None
    bytes: int | None = None
    sha256: str | None = None


class DueDelivery(msgspec.Struct, frozen=True):
    """A delivery whose next try is due, and what its job is and has."""

    delivery: Delivery
    job_id: str
    project_id: str
    status: JobStatus
    output_id: bytes | None
    destination_id: bytes | None


async def plan(tx: Transaction, delivery_id: str, *, job_id: str, kind: DeliveryKind) -> None:
    """A delivery that waits for the end of its job."""
    await tx.execute(
        "INSERT INTO delivery (id, job_id, kind, state) VALUES (?, ?, ?, 'waiting')",
        (delivery_id, job_id, kind),
    )


async def begin(tx: Transaction, job_id: str, *, now: float) -> None:
    """The job has ended: its deliveries are due."""
    await tx.execute("UPDATE delivery SET next_at = ? WHERE job_id = ?", (now, job_id))


async def call_off(tx: Transaction, job_id: str, *, now: float) -> None:
    """The job is deleted: what is not delivered never is."""
    await tx.execute(
        "UPDATE delivery SET state = 'skipped', next_at = NULL, ended_at = ?"
        " WHERE job_id = ? AND state = 'waiting'",
        (now, job_id),
    )


async def due(database: Database, now: float) -> list[DueDelivery]:
    """Those that wait the longest first."""
    columns = ", ".join(f"delivery.{name.strip()}" for name in _COLUMNS.split(","))
    rows = await database.fetchall(
        f"SELECT {columns}, job.id, job.project_id, job.status, job.output_id,"
        " job.destination_id FROM delivery JOIN job ON job.id = delivery.job_id"
        " WHERE delivery.state = 'waiting' AND delivery.next_at <= ? ORDER BY delivery.next_at",
        (now,),
    )
    return [_due(row[:-5], *row[-5:]) for row in rows]


async def of_job(database: Database, job_id: str) -> list[Delivery]:
    rows = await database.fetchall(
        f"SELECT {_COLUMNS} FROM delivery WHERE job_id = ? ORDER BY kind DESC", (job_id,)
    )
    return [_delivery(row) for row in rows]


async def record(tx: Transaction, delivery: Delivery) -> None:
    """Write how it stands now, unless it was called off meanwhile."""
    await tx.execute(
        "UPDATE delivery SET state = ?, next_at = ?, attempts = ?, ended_at = ?, bytes = ?,"
        " sha256 = ? WHERE id = ? AND state = 'waiting'",
        (
            delivery.state,
            delivery.next_at,
            msgspec.json.encode(delivery.attempts).decode(),
            delivery.ended_at,
            delivery.bytes,
            delivery.sha256,
            delivery.id,
        ),
    )


async def release_output(tx: Transaction, job_id: str, *, due_at: float) -> None:
    """Let the output and its edits go at `due_at`, if they were to go with their delivery.

    Nothing happens while another delivery waits, or if neither a delivery that carried the output
    arrived nor its owner acknowledged it.
    """
    row = await tx.fetchone(
        "SELECT output_id, edits_id FROM job WHERE id = ? AND until_delivered"
        " AND NOT EXISTS (SELECT 1 FROM delivery WHERE job_id = job.id AND state = 'waiting')"
        " AND (acknowledged_at IS NOT NULL OR EXISTS (SELECT 1 FROM delivery"
        " WHERE job_id = job.id AND state = 'delivered' AND bytes IS NOT NULL))",
        (job_id,),
    )
    if row is None:
        return
    await tx.execute(
        "UPDATE artefact SET due_at = min(due_at, ?) WHERE id IN (?, ?)", (due_at, *row)
    )
    await tx.execute(
        "UPDATE job SET output_due_at = min(output_due_at, ?) WHERE id = ?", (due_at, job_id)
    )


async def idle_destinations(database: Database, job_id: str | None = None) -> list[bytes]:
    """Destinations, of one job or of all, of which no delivery is left to make."""
    rows = await database.fetchall(
        "SELECT artefact.id FROM artefact JOIN job ON job.id = artefact.job_id"
        " WHERE artefact.kind = 'destination' AND job.finished_at IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.job_id = job.id"
        " AND delivery.state = 'waiting') AND (? IS NULL OR job.id = ?)",
        (job_id, job_id),
    )
    return [row[0] for row in rows]


async def forget_digests(tx: Transaction) -> int:
    """A digest tells about an output: it goes where that has gone."""
    return await tx.execute(
        "UPDATE delivery SET sha256 = NULL WHERE sha256 IS NOT NULL AND NOT EXISTS"
        " (SELECT 1 FROM job JOIN artefact ON artefact.id = job.output_id"
        " WHERE job.id = delivery.job_id)"
    )


def _due(
    delivery: Row,
    job_id: str,
    project_id: str,
    status: str,
    output_id: bytes | None,
    destination_id: bytes | None,
) -> DueDelivery:
    return DueDelivery(
        _delivery(delivery), job_id, project_id, JobStatus(status), output_id, destination_id
    )


def _delivery(row: Row) -> Delivery:
    values = dict(zip(Delivery.__struct_fields__, row, strict=True))
    values["attempts"] = msgspec.json.decode(values["attempts"])
    return msgspec.convert(values, Delivery)
