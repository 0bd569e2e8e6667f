"""How much each project used: counts, seconds and bytes, never content."""

import enum
from collections import defaultdict

import msgspec

from onprem.clock import Clock
from onprem.core.job import JobKind, JobStatus
from onprem.store import projects, usage
from onprem.store.database import Database


class GroupBy(enum.StrEnum):
    """How fine the table is."""

    PROJECT = "project"
    DAY = "day"


class JobUsage(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Jobs of a project and a kind at one status; `day` (UTC) is absent where all are together."""

    project_id: str
    project: str
    kind: JobKind
    status: JobStatus
    jobs: int
    audio_seconds: float
    day: str | None = None


class MediaUsage(msgspec.Struct, frozen=True, rename="camel"):
    """Uploads of a project that are kept now."""

    project_id: str
    project: str
    files: int
    bytes: int


class Used(msgspec.Struct, frozen=True):
    """`jobs` of the last `retention.metadata`: what is older is forgotten."""

    jobs: list[JobUsage]
    media: list[MediaUsage]


class Usage:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def table(self, by: GroupBy = GroupBy.PROJECT) -> Used:
        """By project, kind and status; with `DAY` also by day of submission, the newest first."""
        names = {project.id: project.name for project in await projects.every(self._database)}
        counts: dict[tuple[str, JobKind, JobStatus, str | None], tuple[int, float]]
        counts = defaultdict(lambda: (0, 0.0))
        for each in await usage.jobs_by_day(self._database):
            day = each.day if by is GroupBy.DAY else None
            place = (each.project_id, each.kind, each.status, day)
            jobs, seconds = counts[place]
            counts[place] = (jobs + each.jobs, seconds + each.audio_seconds)
        return Used(
            [
                JobUsage(project, names.get(project, project), kind, status, *counted, day)
                for (project, kind, status, day), counted in counts.items()
            ],
            [
                MediaUsage(
                    each.project_id,
                    names.get(each.project_id, each.project_id),
                    each.files,
                    each.bytes,
                )
                for each in await usage.media_now(self._database, now=self._clock.now())
            ],
        )
