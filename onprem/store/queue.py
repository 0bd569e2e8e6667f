"""The queue: which job is next, how many wait, and how a job comes back to it."""

import msgspec

from onprem.core.job import JobStatus
from onprem.store.database import Database, Transaction
from onprem.store.jobs import COLUMNS, Job, job_of, move

_WAITING = "status IN ('created', 'pending')"


class Places(msgspec.Struct, frozen=True):
    """What there is room for: recordings known to be longer than `short`, and all others."""

    short: float
    """Seconds."""
    for_long: bool
    for_others: bool

    @property
    def any(self) -> bool:
        return self.for_long or self.for_others


async def claim_next(
    tx: Transaction, *, regions: list[str], places: Places, now: float
) -> Job | None:
    """A job that waits for one of these regions becomes `running`; None: none waits that fits.

    Jobs whose client is on the line are not among them: see `claim`.

    Round robin: it is the oldest one of the project whose last turn is longest ago.
    """
    row = await tx.fetchone(
        "UPDATE job SET status = 'running', claims = claims + 1, updated_at = ?"
        " WHERE seq = (SELECT seq FROM job JOIN project ON project.id = project_id"
        f" WHERE {_WAITING} AND kind != 'transcribe'"
        f" AND region IN ({', '.join('?' * len(regions))})"
        " AND iif(coalesce(duration, 0) > ?, ?, ?)"
        " ORDER BY served, seq LIMIT 1)"
        f" RETURNING {COLUMNS}",
        (now, *regions, places.short, places.for_long, places.for_others),
    )
    if row is None:
        return None
    job = job_of(row)
    await tx.execute(
        "UPDATE project SET served = (SELECT max(served) + 1 FROM project) WHERE id = ?",
        (job.project_id,),
    )
    return job


async def claim(tx: Transaction, job_id: str, *, now: float) -> Job | None:
    """This job becomes `running`; None: it does not wait any more."""
    row = await tx.fetchone(
        "UPDATE job SET status = 'running', claims = claims + 1, updated_at = ?"
        f" WHERE id = ? AND {_WAITING} RETURNING {COLUMNS}",
        (now, job_id),
    )
    return job_of(row) if row else None


async def requeue(
    tx: Transaction, job: Job, *, claims_back: int, attempts_back: int, now: float
) -> None:
    """Wait again after an interruption, from now on; what is taken back does not count against
    the job."""
    await move(tx, job, JobStatus.PENDING)
    await tx.execute(
        "UPDATE job SET updated_at = ?, waits_since = ?, claims = claims - ?,"
        " attempts = attempts - ? WHERE id = ?",
        (now, now, claims_back, attempts_back, job.id),
    )


async def put_back(tx: Transaction, job: Job, *, duration: float, now: float) -> None:
    """Go on waiting, at the same place, for one that fits a recording of this length.

    It never started, so its time in the queue goes on.
    """
    await move(tx, job, JobStatus.PENDING)
    await tx.execute(
        "UPDATE job SET updated_at = ?, claims = claims - 1, duration = ? WHERE id = ?",
        (now, duration, job.id),
    )


async def waiting_since(database: Database, before: float) -> list[Job]:
    """Jobs that wait since before `before`, for their first run or for another one."""
    rows = await database.fetchall(
        f"SELECT {COLUMNS} FROM job WHERE {_WAITING} AND waits_since < ?", (before,)
    )
    return [job_of(row) for row in rows]


async def unfinished(tx: Transaction, project_id: str | None = None) -> int:
    """Jobs that wait or run, of one project or of all."""
    of, values = ("", []) if project_id is None else (" AND project_id = ?", [project_id])
    row = await tx.fetchone(f"SELECT count(*) FROM job WHERE finished_at IS NULL{of}", values)
    return int(row[0]) if row else 0


class Ahead(msgspec.Struct, frozen=True):
    """What is before a waiting job."""

    position: int
    """Among the waiting jobs of its project; the next one is 1."""
    jobs: int
    """Of all projects, that come first in a round robin or run already."""


async def ahead(database: Database, job: Job) -> Ahead:
    """Where a waiting job stands in the queue."""
    rows = await database.fetchall(
        f"SELECT project_id, count(*) FROM job WHERE {_WAITING}"
        " AND (project_id != ? OR seq <= (SELECT seq FROM job WHERE id = ?))"
        " GROUP BY project_id",
        (job.project_id, job.id),
    )
    counts = {project_id: waiting for project_id, waiting in rows}
    position = counts.pop(job.project_id, 1)
    row = await database.fetchone("SELECT count(*) FROM job WHERE status = 'running'")
    before = sum(min(each, position) for each in counts.values()) + position - 1
    return Ahead(position, before + (row[0] if row else 0))
