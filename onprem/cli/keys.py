"""`onprem keys`: create, list and revoke API keys."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from onprem.cli.context import opened_database, operator
from onprem.cli.options import Config, Json
from onprem.cli.output import date, emit_json, emit_table
from onprem.config.quantities import Duration
from onprem.services.keys import USUAL_SCOPES, IssuedKey, Keys, Scope
from onprem.store.keys import StoredKey

app = typer.Typer(name="keys", help="Create, list and revoke API keys.", no_args_is_help=True)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    project: Annotated[
        str, typer.Option("--project", help="Name or id of the project it acts for.")
    ] = "default",
    scope: Annotated[
        list[Scope] | None,
        typer.Option("--scope", help="What it may do; repeat it. Default: all but admin."),
    ] = None,
    expires_in: Annotated[
        Duration | None,
        typer.Option("--expires-in", parser=Duration.parse, help="Such as 90d; default never."),
    ] = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Make a key and show it, this once: only its hash is stored.

    \b
    EXAMPLES
      onprem keys create "call centre"
      onprem keys create dashboards --scope jobs:read --expires-in 90d

    \b
    EXIT STATUS
      0; 3 faulty configuration; 4 no data directory; 6 no such project, or a faulty option.
    """
    issued = asyncio.run(_create(config, project, name, scope or USUAL_SCOPES, expires_in))
    if json:
        emit_json({**_described(issued.stored), "key": issued.secret})
    else:
        typer.echo(issued.secret)


@app.command("list")
def list_keys(config: Config = None, json: Json = False) -> None:
    """List all keys, without their secrets.

    \b
    EXAMPLES
      onprem keys list

    \b
    EXIT STATUS
      0; 3 faulty configuration; 4 no data directory.
    """
    described = [_described(key) for key in asyncio.run(_every(config))]
    if json:
        emit_json(described)
        return
    header = ["id", "project", "name", "scopes", "created", "expires", "revoked"]
    rows = [
        [" ".join(cell) if isinstance(cell, list) else cell or "-" for cell in key.values()]
        for key in described
    ]
    emit_table(rows, header)


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The id that `keys list` shows.")],
    config: Config = None,
    json: Json = False,
) -> None:
    """Revoke a key for good. A running server refuses it from its next request on.

    \b
    EXAMPLES
      onprem keys revoke 1f6e2a90

    \b
    EXIT STATUS
      0; 3 faulty configuration; 4 no data directory; 6 no such key, or revoked before.
    """
    asyncio.run(_revoke(config, key_id))
    if json:
        emit_json({"revoked": key_id})
    else:
        typer.echo(f"revoked {key_id}")


async def _create(
    config: Path | None, project: str, name: str, scopes: list[Scope], lifetime: float | None
) -> IssuedKey:
    async with opened_database(config) as (database, clock):
        keys = Keys(database, clock)
        return await keys.issue(project, name, scopes, lifetime, actor=operator())


async def _every(config: Path | None) -> list[StoredKey]:
    async with opened_database(config) as (database, clock):
        return await Keys(database, clock).every()


async def _revoke(config: Path | None, key_id: str) -> None:
    async with opened_database(config) as (database, clock):
        await Keys(database, clock).revoke(key_id, actor=operator())


def _described(key: StoredKey) -> dict[str, str | list[str] | None]:
    return {
        "id": key.id,
        "projectId": key.project_id,
        "name": key.name,
        "scopes": key.scopes,
        "createdAt": date(key.created_at),
        "expiresAt": date(key.expires_at),
        "revokedAt": date(key.revoked_at),
    }
