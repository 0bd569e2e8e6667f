"""`onprem media`: list and delete uploads, without ever reading them."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from onprem.cli.context import opened_artefacts, operator
from onprem.cli.options import Config, Json
from onprem.cli.output import date, emit_json, emit_table
from onprem.config.quantities import ByteSize
from onprem.services.media_library import MediaLibrary, Withdrawn, url_of
from onprem.services.projects import find
from onprem.store.media import MediaVersion

app = typer.Typer(name="media", help="List and delete uploads.", no_args_is_help=True)

OfProject = Annotated[str, typer.Option("--project", help="Name or id of the project.")]

_PAGE = 1000


@app.command("list")
def list_media(project: OfProject = "default", config: Config = None, json: Json = False) -> None:
    """List the uploads of a project, with their sizes and deadlines.

    \b
    EXAMPLES
      onprem media list
      onprem media list --project sales --json

    \b
    EXIT STATUS
      0; 3 faulty configuration; 4 no data directory; 6 no such project.
    """
    found = asyncio.run(_every(config, project))
    if json:
        emit_json([_described(version) for version in found])
        return
    rows = [
        [
            url_of(each),
            str(ByteSize(each.size)),
            date(each.created_at) or "",
            date(each.due_at) or "",
        ]
        for each in found
    ]
    emit_table(rows, ["url", "size", "created", "expires"])


@app.command()
def delete(
    url: Annotated[str, typer.Argument(help="Its media:// URL.")],
    project: OfProject = "default",
    config: Config = None,
    json: Json = False,
) -> None:
    """Delete an upload now, before its deadline.

    Its URL is unknown at once. Where an unfinished job still needs the recording, the bytes go
    after that job, and at their deadline at the latest.

    \b
    EXAMPLES
      onprem media delete media://calls/monday.wav --project sales

    \b
    EXIT STATUS
      0; 3 faulty configuration; 4 no data directory; 6 no such project or media.
    """
    done = asyncio.run(_delete(config, project, url))
    receipt = done.receipt
    if json:
        pending = {**_described(done.version), "pending": True}
        emit_json(pending if receipt is None else {"receipt": receipt})
    elif receipt is None:
        typer.echo(f"{url} is unknown now; its bytes go after the job that needs them")
    else:
        typer.echo(f"deleted {url} (artefact {receipt.artefact_id})")


async def _every(config: Path | None, named: str) -> list[MediaVersion]:
    async with opened_artefacts(config) as (database, artefacts, clock):
        project = await find(database, named)
        library = MediaLibrary(database, artefacts, clock)
        found: list[MediaVersion] = []
        page = await library.page(project.id, limit=_PAGE)
        found += page.versions
        while page.next_cursor is not None:
            page = await library.page(project.id, limit=_PAGE, cursor=page.next_cursor)
            found += page.versions
        return found


async def _delete(config: Path | None, named: str, url: str) -> Withdrawn:
    async with opened_artefacts(config) as (database, artefacts, clock):
        project = await find(database, named)
        library = MediaLibrary(database, artefacts, clock)
        return await library.delete(project.id, url, operator=operator())


def _described(version: MediaVersion) -> dict[str, str | int | None]:
    return {
        "url": url_of(version),
        "artefactId": version.artefact_id.hex(),
        "size": version.size,
        "createdAt": date(version.created_at),
        "expiresAt": date(version.due_at),
    }
