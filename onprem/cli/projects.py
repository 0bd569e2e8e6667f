"""`onprem projects`: create, set and list projects."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from onprem.cli.context import opened_database, operator
from onprem.cli.options import Config, Json
from onprem.cli.output import date, emit_json, emit_table
from onprem.cli.webhook_secret import webhook_secret
from onprem.config.quantities import ByteSize, Duration
from onprem.core.job import JobKind
from onprem.services.projects import Projects
from onprem.store.projects import Project

app = typer.Typer(
    name="projects",
    help="Create, set and list projects. Each sees its own media and jobs only.",
    no_args_is_help=True,
)


NONE = "none"
ALL = "all"


def _operations(text: str) -> list[str]:
    """Raises ValueError, which typer tells as a usage error."""
    if text in (ALL, NONE):
        return [kind.value for kind in JobKind] if text == ALL else []
    words = [word.strip() for word in text.split(",")]
    if unknown := set(words) - set(JobKind):
        raise ValueError(f"there is no operation {', '.join(sorted(unknown))}")
    return words


def _quota(text: str) -> int | str:
    return NONE if text == NONE else ByteSize.parse(text)


def _number(text: str) -> int | str:
    return NONE if text == NONE else int(text)


def _seconds(text: str) -> int | str:
    return NONE if text == NONE else int(Duration.parse(text))


app.command("webhook-secret")(webhook_secret)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="A name that no other project has.")],
    config: Config = None,
    json: Json = False,
) -> None:
    """Make a project; `onprem keys create --project NAME` gives it a key.

    \b
    EXAMPLES
      onprem projects create sales

    \b
    EXIT STATUS
      0; 3 faulty configuration; 4 no data directory; 6 the name is empty or taken.
    """
    project = asyncio.run(_create(config, name))
    if json:
        emit_json(_described(project))
    else:
        typer.echo(f"created {project.name} ({project.id})")


Region = Annotated[
    str | None,
    typer.Option("--region", help="Where its jobs run: any, eu, or the name of a region."),
]
Operations = Annotated[
    Any,
    typer.Option(
        "--operations",
        parser=_operations,
        metavar="KIND,…",
        help=f"Kinds of jobs that are allowed: {','.join(JobKind)}; or all, or none.",
    ),
]
ConsentRequired = Annotated[
    bool | None,
    typer.Option(
        "--consent-required/--no-consent-required",
        help="Whether a voiceprint needs a consentRef.",
    ),
]
MediaQuota = Annotated[
    Any,
    typer.Option(
        "--media-quota",
        parser=_quota,
        metavar="SIZE",
        help="What its uploads may hold together, such as 50GiB; or none.",
    ),
]
QueuedJobs = Annotated[
    Any,
    typer.Option(
        "--queued-jobs",
        parser=_number,
        metavar="N",
        help="Jobs that wait or run, at most; or none.",
    ),
]
MediaRetention = Annotated[
    Any,
    typer.Option(
        "--media-retention",
        parser=_seconds,
        metavar="TIME",
        help="How long its uploads live, such as 12h, where that is shorter than elsewhere; or "
        "none.",
    ),
]
OutputRetention = Annotated[
    Any,
    typer.Option(
        "--output-retention",
        parser=_seconds,
        metavar="TIME",
        help="How long its outputs live; 0: until a minute after their delivery; or none.",
    ),
]
RequestsPerMinute = Annotated[
    Any,
    typer.Option(
        "--requests-per-minute",
        parser=_number,
        metavar="N",
        help="Requests to each endpoint, instead of [limits]; or none.",
    ),
]


@app.command("set")
def set_project(
    name: Annotated[str, typer.Argument(help="Its name or id.")],
    region: Region = None,
    operations: Operations = None,
    consent: ConsentRequired = None,
    media_quota: MediaQuota = None,
    queued_jobs: QueuedJobs = None,
    media_retention: MediaRetention = None,
    output_retention: OutputRetention = None,
    requests_per_minute: RequestsPerMinute = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Change settings of a project. What is not named stays; none takes a quota away.

    A running server obeys from the next request on. Jobs that were submitted before keep what
    they were submitted with.

    \b
    EXAMPLES
      onprem projects set sales --region eu --operations diarize,transcribe
      onprem projects set sales --media-quota 50GiB --queued-jobs 100
      onprem projects set sales --media-quota none
      onprem projects set sales --media-retention 12h --output-retention 0

    \b
    EXIT STATUS
      0; 2 an option that cannot be read; 3 faulty configuration; 4 no data directory; 6 no such
      project, or a value that no project can have.
    """
    given = {
        "region": region,
        "operations": operations,
        "consentRequired": consent,
        "mediaBytes": media_quota,
        "queuedJobs": queued_jobs,
        "mediaRetention": media_retention,
        "outputRetention": output_retention,
        "requestsPerMinute": requests_per_minute,
    }
    fields = {
        field: None if value == NONE else value
        for field, value in given.items()
        if value is not None
    }
    project = asyncio.run(_change(config, name, fields))
    if json:
        emit_json(_described(project))
    else:
        for field, value in _described(project).items():
            typer.echo(f"{field:<17}  {_cell(field, value)}")


@app.command("list")
def list_projects(config: Config = None, json: Json = False) -> None:
    """List all projects with their settings.

    \b
    EXAMPLES
      onprem projects list
      onprem projects list --json

    \b
    EXIT STATUS
      0; 3 faulty configuration; 4 no data directory.
    """
    found = [_described(project) for project in asyncio.run(_every(config))]
    if json:
        emit_json(found)
        return
    header = ["id", "name", "region", "operations", "consent", "media", "jobs"]
    header += ["media lives", "outputs live", "per minute"]
    rows = [
        [_cell(field, value) for field, value in each.items() if field != "createdAt"]
        for each in found
    ]
    emit_table(rows, header)


async def _create(config: Path | None, name: str) -> Project:
    async with opened_database(config) as (database, clock):
        return await Projects(database, clock).create(name, actor=operator())


async def _change(config: Path | None, name: str, fields: dict[str, Any]) -> Project:
    async with opened_database(config) as (database, clock):
        return await Projects(database, clock).change(name, fields, actor=operator())


async def _every(config: Path | None) -> list[Project]:
    async with opened_database(config) as (database, clock):
        return await Projects(database, clock).every()


def _described(project: Project) -> dict[str, Any]:
    settings = project.settings
    return {
        "id": project.id,
        "name": project.name,
        "createdAt": date(project.created_at),
        "region": settings.region,
        "operations": sorted(settings.operations),
        "consentRequired": settings.consent_required,
        "mediaBytes": settings.media_bytes,
        "queuedJobs": settings.queued_jobs,
        "mediaRetention": settings.media_retention,
        "outputRetention": settings.output_retention,
        "requestsPerMinute": settings.requests_per_minute,
    }


def _cell(field: str, value: Any) -> str:
    if isinstance(value, list):
        return " ".join(value) or "-"
    if isinstance(value, bool):
        return "required" if value else "-"
    if value is None:
        return "-"
    if field.endswith("Retention"):
        return str(Duration(value))
    return str(ByteSize(value)) if field == "mediaBytes" else str(value)
