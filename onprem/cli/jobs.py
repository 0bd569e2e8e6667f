"""`onprem jobs`: list, show, cancel and delete jobs of all projects, without their content."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from onprem.cli.context import opened_artefacts, opened_database, operator
from onprem.cli.options import Config, Json
from onprem.cli.output import emit_json, emit_table
from onprem.core.job import JobStatus
from onprem.errors import NotFound
from onprem.runner.finish import Finisher
from onprem.runner.progress import ProgressBoard
from onprem.runner.wake import Wake
from onprem.services.cancellation import Cancellation
from onprem.store import jobs, projects
from onprem.store.database import Database
from onprem.store.jobs import Job, Selection

app = typer.Typer(
    name="jobs",
    help="List, show, cancel and delete jobs. What was said in them is never shown.",
    no_args_is_help=True,
)

Id = Annotated[str, typer.Argument(metavar="ID", help="The id that `jobs list` shows.")]


class Described(msgspec.Struct, frozen=True, rename="camel"):
    """A job's metadata; times are ISO 8601, the duration is in seconds of audio."""

    id: str
    project: str
    kind: str
    status: str
    created_at: str
    finished_at: str | None
    duration: float | None
    error_code: str | None
    region: str
    attempts: int
    output_due_at: str | None
    deleted_at: str | None


@app.command("list")
def list_jobs(
    project: Annotated[
        str | None, typer.Option("--project", help="Only this project's; default all.")
    ] = None,
    status: Annotated[
        JobStatus | None, typer.Option("--status", help="Only jobs in this state.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many at most.")] = 20,
    config: Config = None,
    json: Json = False,
) -> None:
    """List jobs, the newest first. Deleted ones are not listed.

    \b
    EXAMPLES
      onprem jobs list --status running
      onprem jobs list --project sales --limit 100 --json

    \b
    EXIT STATUS
      0; 3 faulty configuration; 4 no data directory; 6 no such project.
    """
    found = asyncio.run(_list(config, project, status, limit))
    if json:
        emit_json(found)
        return
    header = ["id", "project", "kind", "status", "created", "finished", "error"]
    emit_table(
        [
            [job.id, job.project, job.kind, job.status, job.created_at]
            + [job.finished_at or "-", job.error_code or "-"]
            for job in found
        ],
        header,
    )


@app.command()
def show(job_id: Id, config: Config = None, json: Json = False) -> None:
    """Show what is known of one job; of a deleted one, what its tombstone says.

    \b
    EXAMPLES
      onprem jobs show 1a20dbb3-2c96-482d-b5ae-d7770645c786

    \b
    EXIT STATUS
      0; 3 faulty configuration; 4 no data directory; 6 no such job.
    """
    found = asyncio.run(_show(config, job_id))
    if json:
        emit_json(found)
        return
    values = msgspec.to_builtins(found)
    emit_table(
        [[name, "-" if value is None else str(value)] for name, value in values.items()],
        ["field", "value"],
    )


@app.command()
def cancel(job_id: Id, config: Config = None, json: Json = False) -> None:
    """Cancel a job that waits or runs; a running server stops its work within seconds.

    \b
    EXAMPLES
      onprem jobs cancel 1a20dbb3-2c96-482d-b5ae-d7770645c786

    \b
    EXIT STATUS
      0, also where it was canceled before; 3 faulty configuration; 4 no data directory; 6 no such
      job, or it has ended; 7 the disk is full.
    """
    asyncio.run(_cancel(config, job_id))
    if json:
        emit_json({"canceled": job_id})
    else:
        typer.echo(f"canceled {job_id}")


@app.command()
def delete(job_id: Id, config: Config = None, json: Json = False) -> None:
    """Delete all that is stored of a job; cancel it first where it has not ended.

    Its receipts, and a tombstone without content, remain. A job whose run has not come to an end
    is `stopping`: its copy in the server's memory goes with the run.

    \b
    EXAMPLES
      onprem jobs delete 1a20dbb3-2c96-482d-b5ae-d7770645c786

    \b
    EXIT STATUS
      0, also where it was deleted before; 3 faulty configuration; 4 no data directory; 6 no such
      job; 7 the disk is full.
    """
    done = asyncio.run(_delete(config, job_id))
    if json:
        emit_json({"deleted": job_id, "stopping": not done})
    else:
        typer.echo(f"deleted {job_id}" + ("" if done else ", and its run is stopping"))


async def _list(
    config: Path | None, project: str | None, status: JobStatus | None, limit: int
) -> list[Described]:
    async with opened_database(config) as (database, _):
        project_id = None
        if project is not None:
            owner = await projects.by_name(database, project)
            if owner is None:
                raise NotFound(what="project")
            project_id = owner.id
        found = await jobs.newest(database, Selection(project_id, status), limit=limit)
        names = await _project_names(database)
        return [_described(job, names) for job in found]


async def _show(config: Path | None, job_id: str) -> Described:
    async with opened_database(config) as (database, _):
        owner = await _owner(database, job_id)
        job = await jobs.get(database, job_id, owner, deleted=True)
        if job is None:
            raise NotFound(what="job")
        return _described(job, await _project_names(database))


async def _cancel(config: Path | None, job_id: str) -> None:
    async with _cancellation(config) as (cancellation, database):
        owner = await _owner(database, job_id)
        await cancellation.cancel(owner, job_id, operator=operator())


async def _delete(config: Path | None, job_id: str) -> bool:
    async with _cancellation(config) as (cancellation, database):
        owner = await _owner(database, job_id)
        return await cancellation.delete(owner, job_id, operator=operator())


@asynccontextmanager
async def _cancellation(config: Path | None) -> AsyncIterator[tuple[Cancellation, Database]]:
    """Nobody waits in this process for what it does; a server finds it in the database."""
    async with opened_artefacts(config) as (database, artefacts, clock):
        finisher = Finisher(database, artefacts, clock)
        progress, wake = ProgressBoard(), Wake()
        yield Cancellation(database, artefacts, finisher, progress, wake, clock), database


async def _owner(database: Database, job_id: str) -> str:
    project_id = await jobs.project_of(database, job_id)
    if project_id is None:
        raise NotFound(what="job")
    return project_id


async def _project_names(database: Database) -> dict[str, str]:
    return {project.id: project.name for project in await projects.every(database)}


def _described(job: Job, names: dict[str, str]) -> Described:
    return Described(
        id=job.id,
        project=names.get(job.project_id, job.project_id),  # an erased one has no name
        kind=job.kind,
        status=job.status,
        created_at=_date(job.created_at),
        finished_at=None if job.finished_at is None else _date(job.finished_at),
        duration=job.duration,
        error_code=job.error_code,
        region=job.region,
        attempts=job.attempts,
        output_due_at=None if job.output_due_at is None else _date(job.output_due_at),
        deleted_at=None if job.deleted_at is None else _date(job.deleted_at),
    )


def _date(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
