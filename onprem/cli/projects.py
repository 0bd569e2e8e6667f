"""`onprem projects`: create and list projects."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from onprem.cli.context import opened_database
from onprem.cli.output import emit_json, emit_table
from onprem.services.projects import Projects
from onprem.store.projects import Project

app = typer.Typer(
    name="projects",
    help="Create and list projects. Each sees its own media and jobs only.",
    no_args_is_help=True,
)

Config = Annotated[Path | None, typer.Option("--config", help="The configuration file.")]
Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]


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
        emit_json(project)
    else:
        typer.echo(f"created {project.name} ({project.id})")


@app.command("list")
def list_projects(config: Config = None, json: Json = False) -> None:
    """List all projects.

    \b
    EXAMPLES
      onprem projects list --json

    \b
    EXIT STATUS
      0; 3 faulty configuration; 4 no data directory.
    """
    found = asyncio.run(_every(config))
    if json:
        emit_json(found)
    else:
        emit_table([[project.id, project.name] for project in found], ["id", "name"])


async def _create(config: Path | None, name: str) -> Project:
    async with opened_database(config) as (database, clock):
        return await Projects(database, clock).create(name)


async def _every(config: Path | None) -> list[Project]:
    async with opened_database(config) as (database, clock):
        return await Projects(database, clock).every()
