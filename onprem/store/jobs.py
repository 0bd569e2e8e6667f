"""Jobs: one row each, from submission to tombstone. No content, only ids of artefacts."""

import msgspec

from onprem.core.job import JobKind, JobStatus, check_transition
from onprem.core.speech import ModelRef
from onprem.store.database import Database, Row, Transaction

_COLUMNS = (
    "id, project_id, kind, status, region, media_id, request_id, destination_id,"
    " output_id, edits_id, output_due_at, error_code, engine, claims, attempts, cancel_requested,"
    " duration, created_at, updated_at, finished_at"
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
    output_due_at: float | None
    error_code: str | None
    engine: dict[str, ModelRef] | None
    claims: int
    attempts: int
    cancel_requested: bool
    duration: float | None
    created_at: float
    updated_at: float
    finished_at: float | None


async def insert(
    tx: Transaction,
    *,
    job_id: str,
    project_id: str,
    kind: JobKind,
    region: str,
    media_id: bytes | None,
    request_id: bytes,
    now: float,
    destination_id: bytes | None = None,
) -> None:
    await tx.execute(
        "INSERT INTO job (id, project_id, kind, status, region, media_id, request_id,"
        " destination_id, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            job_id,
            project_id,
            kind,
            JobStatus.CREATED,
            region,
            media_id,
            request_id,
            destination_id,
            now,
            now,
        ),
    )


async def get(database: Database, job_id: str, project_id: str) -> Job | None:
    """None also for another project's job: nobody learns that it exists."""
    row = await database.fetchone(
        f"SELECT {_COLUMNS} FROM job WHERE id = ? AND project_id = ?", (job_id, project_id)
    )
    return _job(row) if row else None


async def claim_next(tx: Transaction, *, regions: list[str], now: float) -> Job | None:
    """The oldest job that waits for one of these regions becomes `running`; None: none waits."""
    row = await tx.fetchone(
        "UPDATE job SET status = 'running', claims = claims + 1, updated_at = ?"
        " WHERE seq = (SELECT min(seq) FROM job WHERE status IN ('created', 'pending')"
        f" AND region IN ({', '.join('?' * len(regions))}))"
        f" RETURNING {_COLUMNS}",
        (now, *regions),
    )
    return _job(row) if row else None


async def count_attempt(tx: Transaction, job_id: str) -> None:
    """Written before the models touch the recording: if they take the server down, it counts."""
    await tx.execute("UPDATE job SET attempts = attempts + 1 WHERE id = ?", (job_id,))


async def running(database: Database) -> list[Job]:
    rows = await database.fetchall(f"SELECT {_COLUMNS} FROM job WHERE status = 'running'")
    return [_job(row) for row in rows]


async def waiting_since(database: Database, before: float) -> list[Job]:
    """Jobs that wait since before `before`, for their first run or for another one."""
    rows = await database.fetchall(
        f"SELECT {_COLUMNS} FROM job WHERE status IN ('created', 'pending') AND updated_at < ?",
        (before,),
    )
    return [_job(row) for row in rows]


async def requeue(
    tx: Transaction, job: Job, *, claims_back: int, attempts_back: int, now: float
) -> None:
    """Wait again; what is taken back does not count against the job."""
    await _move(tx, job, JobStatus.PENDING)
    await tx.execute(
        "UPDATE job SET updated_at = ?, claims = claims - ?, attempts = attempts - ? WHERE id = ?",
        (now, claims_back, attempts_back, job.id),
    )


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
    """Reach a terminal state; status, output and deadline stand in one row."""
    await _move(tx, job, status)
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


async def _move(tx: Transaction, job: Job, then: JobStatus) -> None:
    check_transition(job.status, then)
    moved = await tx.execute(
        "UPDATE job SET status = ? WHERE id = ? AND status = ?", (then, job.id, job.status)
    )
    if moved != 1:
        raise JobMoved(job.id)


class JobMoved(Exception):
    """Somebody else moved the job since it was read; the caller's transaction rolls back."""


async def request_cancel(tx: Transaction, job_id: str) -> None:
    await tx.execute("UPDATE job SET cancel_requested = 1 WHERE id = ?", (job_id,))


async def cancel_requests(database: Database) -> set[str]:
    """Ids of running jobs that somebody, perhaps another process, asked to cancel."""
    rows = await database.fetchall(
        "SELECT id FROM job WHERE status = 'running' AND cancel_requested = 1"
    )
    return {row[0] for row in rows}


async def stale_requests(database: Database) -> list[bytes]:
    """Requests whose job has ended: a crash came between its end and their deletion."""
    rows = await database.fetchall(
        "SELECT artefact.id FROM artefact JOIN job ON job.id = artefact.job_id"
        " WHERE artefact.kind = 'request' AND job.finished_at IS NOT NULL"
    )
    return [row[0] for row in rows]


async def delete_tombstones(tx: Transaction, *, finished_before: float) -> int:
    """Forget jobs whose metadata is past its time and whose artefacts are gone."""
    return await tx.execute(
        "DELETE FROM job WHERE finished_at < ?"
        " AND NOT EXISTS (SELECT 1 FROM artefact WHERE artefact.job_id = job.id)",
        (finished_before,),
    )


def _job(row: Row) -> Job:
    values = dict(zip(Job.__struct_fields__, row, strict=True))
    if values["engine"] is not None:
        values["engine"] = msgspec.json.decode(values["engine"])
    values["cancel_requested"] = bool(values["cancel_requested"])
    return msgspec.convert(values, Job)
