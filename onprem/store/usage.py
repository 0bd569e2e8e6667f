"""Counting jobs and media without looking at content: what `onprem usage` shows."""

import msgspec

from onprem.core.job import JobKind, JobStatus
from onprem.store.database import Database


class JobCount(msgspec.Struct, frozen=True):
    """Jobs of one kind that were submitted on one day (UTC, `2026-11-23`) and stand at `status`.

    `audio_seconds` of those that were decoded.
    """

    project_id: str
    day: str
    kind: JobKind
    status: JobStatus
    jobs: int
    audio_seconds: float


class MediaCount(msgspec.Struct, frozen=True):
    """Uploads that are kept now, old versions that a job still needs among them."""

    project_id: str
    files: int
    bytes: int


async def jobs_by_day(database: Database) -> list[JobCount]:
    """Of all jobs that are not forgotten yet; the newest day first."""
    rows = await database.fetchall(
        "SELECT project_id, date(created_at, 'unixepoch') AS day, kind, status, count(*),"
        " total(duration) FROM job GROUP BY project_id, day, kind, status"
        " ORDER BY day DESC, project_id, kind, status"
    )
    return [JobCount(row[0], row[1], JobKind(row[2]), JobStatus(row[3]), *row[4:]) for row in rows]


async def media_now(database: Database, *, now: float) -> list[MediaCount]:
    rows = await database.fetchall(
        "SELECT project_id, count(*), sum(size) FROM artefact"
        " WHERE kind = 'media' AND due_at > ? GROUP BY project_id",
        (now,),
    )
    return [MediaCount(*row) for row in rows]
