"""Jobs: one row each, from submission to tombstone. No content, only ids of artefacts."""

import msgspec

from onprem.core.job import JobKind, JobStatus, check_transition
from onprem.core.retention import OutputLife
from onprem.core.speech import ModelRef
from onprem.store import deliveries
from onprem.store.database import Database, Row, Transaction

COLUMNS = (
    "id, project_id, kind, status, region, media_id, request_id, destination_id,"
    " output_id, edits_id, output_life, until_delivered, output_due_at, error_code, engine,"
    " claims, attempts, duration,"
    " created_at, waits_since, updated_at, finished_at, acknowledged_at, deleted_at"
)


class Job(msgspec.Struct, frozen=True):
    """A job's metadata; times in seconds since the epoch."""

    id: str
    project_id: str
    kind: JobKind
    status: JobStatus
    region: str
    media_id: bytes | None
    request_id: bytes | None
    destination_id: bytes | None
    output_id: bytes | None
    edits_id: bytes | None
    output_life: float
    """Seconds from its end that its output lives at most."""
    until_delivered: bool
    """Whether the output goes as soon as it is delivered."""
    output_due_at: float | None
    error_code: str | None
    engine: dict[str, ModelRef] | None
    claims: int
    attempts: int
    duration: float | None
    """Seconds of audio; None until it was decoded."""
    created_at: float
    waits_since: float
    """When it last became ready to start."""
    updated_at: float
    finished_at: float | None
    acknowledged_at: float | None
    deleted_at: float | None


async def insert(
    tx: Transaction,
    *,
    job_id: str,
    project_id: str,
    kind: JobKind,
    region: str,
    media_id: bytes | None,
    request_id: bytes,
    output_life: OutputLife,
    now: float,
    destination_id: bytes | None = None,
) -> None:
    await tx.execute(
        "INSERT INTO job (id, project_id, kind, status, region, media_id, request_id,"
        " destination_id, output_life, until_delivered, created_at, waits_since, updated_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            job_id,
            project_id,
            kind,
            JobStatus.CREATED,
            region,
            media_id,
            request_id,
            destination_id,
            output_life.seconds,
            output_life.until_delivered,
            now,
            now,
            now,
        ),
    )


async def get(
    database: Database | Transaction, job_id: str, project_id: str, *, deleted: bool = False
) -> Job | None:
    """None also for another project's job: nobody learns that it exists.

    With `deleted`, also a job that its owner deleted, as long as its tombstone is kept.
    """
    hidden = "" if deleted else " AND deleted_at IS NULL"
    row = await database.fetchone(
        f"SELECT {COLUMNS} FROM job WHERE id = ? AND project_id = ?{hidden}", (job_id, project_id)
    )
    return job_of(row) if row else None


async def project_of(database: Database, job_id: str) -> str | None:
    """Whose job it is, for the operator, who sees those of all projects."""
    row = await database.fetchone("SELECT project_id FROM job WHERE id = ?", (job_id,))
    return row[0] if row else None


class Selection(msgspec.Struct, frozen=True):
    """Jobs that no owner has deleted; those of all projects where none is named."""

    project_id: str | None = None
    status: JobStatus | None = None

    def where(self) -> tuple[str, list[str]]:
        """A condition, and its parameters."""
        wanted = {"project_id": self.project_id, "status": self.status}
        given = {column: value for column, value in wanted.items() if value is not None}
        condition = "".join(f" AND {column} = ?" for column in given)
        return f"deleted_at IS NULL{condition}", list(given.values())


async def newest(
    database: Database,
    selection: Selection,
    *,
    limit: int,
    skip: int = 0,
    older_than: str | None = None,
) -> list[Job]:
    """The newest first. `older_than`: only those submitted before the job of that id."""
    condition, values = selection.where()
    if older_than is not None:
        condition += " AND seq < (SELECT seq FROM job WHERE id = ?)"
        values.append(older_than)
    rows = await database.fetchall(
        f"SELECT {COLUMNS} FROM job WHERE {condition} ORDER BY seq DESC LIMIT ? OFFSET ?",
        (*values, limit, skip),
    )
    return [job_of(row) for row in rows]


async def count(database: Database, selection: Selection) -> int:
    condition, values = selection.where()
    row = await database.fetchone(f"SELECT count(*) FROM job WHERE {condition}", values)
    return int(row[0]) if row else 0


async def count_attempt(tx: Transaction, job_id: str, duration: float) -> None:
    """Written before the models touch the recording: if they take the server down, it counts."""
    await tx.execute(
        "UPDATE job SET attempts = attempts + 1, duration = ? WHERE id = ?", (duration, job_id)
    )


async def running(database: Database) -> list[Job]:
    rows = await database.fetchall(f"SELECT {COLUMNS} FROM job WHERE status = 'running'")
    return [job_of(row) for row in rows]


async def attended(database: Database) -> list[Job]:
    """Jobs for a client on the line that have not ended, or whose output is still there."""
    rows = await database.fetchall(
        f"SELECT {COLUMNS} FROM job WHERE kind = 'transcribe' AND (finished_at IS NULL"
        " OR (status = 'succeeded' AND output_id IN (SELECT id FROM artefact)))"
    )
    return [job_of(row) for row in rows]


async def finish(
    tx: Transaction,
    job: Job,
    status: JobStatus,
    *,
    now: float,
    output_id: bytes | None = None,
    output_due_at: float | None = None,
    error_code: str | None = None,
    engine: dict[str, ModelRef] | None = None,
) -> None:
    """Reach a terminal state; status, output and deadline stand in one row.

    From now on its deliveries are due.
    """
    await move(tx, job, status)
    await tx.execute(
        "UPDATE job SET updated_at = ?, finished_at = ?, output_id = ?, output_due_at = ?,"
        " error_code = ?, engine = ? WHERE id = ?",
        (
            now,
            now,
            output_id,
            output_due_at,
            error_code,
            msgspec.json.encode(engine).decode() if engine else None,
            job.id,
        ),
    )
    await deliveries.begin(tx, job.id, now=now)


async def move(tx: Transaction, job: Job, then: JobStatus) -> None:
    """Raises JobMoved where the job is no more as `job` says."""
    check_transition(job.status, then)
    moved = await tx.execute(
        "UPDATE job SET status = ? WHERE id = ? AND status = ?", (then, job.id, job.status)
    )
    if moved != 1:
        raise JobMoved(job.id)


class JobMoved(Exception):
    """Somebody else moved the job since it was read; the caller's transaction rolls back."""


async def end_output(tx: Transaction, job_id: str, *, now: float) -> None:
    """Its output was deleted before its deadline: from now on it is gone."""
    await tx.execute("UPDATE job SET output_due_at = ? WHERE id = ?", (now, job_id))


async def set_edits(tx: Transaction, job_id: str, edits_id: bytes | None) -> None:
    await tx.execute("UPDATE job SET edits_id = ? WHERE id = ?", (edits_id, job_id))


async def acknowledge(tx: Transaction, job_id: str, *, now: float) -> None:
    """The first time counts."""
    await tx.execute(
        "UPDATE job SET acknowledged_at = coalesce(acknowledged_at, ?) WHERE id = ?", (now, job_id)
    )


async def mark_deleted(tx: Transaction, job_id: str, *, now: float) -> None:
    """From now on no read shows it; its tombstone stays as long as any other."""
    await tx.execute("UPDATE job SET deleted_at = ? WHERE id = ?", (now, job_id))
    await deliveries.call_off(tx, job_id, now=now)


async def stale_requests(database: Database) -> list[bytes]:
    """Requests whose job has ended: a crash came between its end and their deletion."""
    rows = await database.fetchall(
        "SELECT artefact.id FROM artefact JOIN job ON job.id = artefact.job_id"
        " WHERE artefact.kind = 'request' AND job.finished_at IS NOT NULL"
    )
    return [row[0] for row in rows]


async def stored_of_deleted(database: Database, job_id: str | None = None) -> list[bytes]:
    """What is still stored of a deleted job, or of all of them.

    Not their worker copies, which only their runs can free.
    """
    of, values = ("", []) if job_id is None else (" AND job.id = ?", [job_id])
    rows = await database.fetchall(
        "SELECT artefact.id FROM artefact JOIN job ON job.id = artefact.job_id"
        f" WHERE job.deleted_at IS NOT NULL AND artefact.kind != 'worker_copy'{of}",
        values,
    )
    return [row[0] for row in rows]


async def delete_tombstones(tx: Transaction, *, finished_before: float) -> int:
    """Forget jobs whose metadata is past its time and whose artefacts are gone."""
    return await tx.execute(
        "DELETE FROM job WHERE finished_at < ?"
        " AND NOT EXISTS (SELECT 1 FROM artefact WHERE artefact.job_id = job.id)",
        (finished_before,),
    )


def job_of(row: Row) -> Job:
    values = dict(zip(Job.__struct_fields__, row, strict=True))
    if values["engine"] is not None:
        values["engine"] = msgspec.json.decode(values["engine"])
    values["until_delivered"] = bool(values["until_delivered"])
    return msgspec.convert(values, Job)
