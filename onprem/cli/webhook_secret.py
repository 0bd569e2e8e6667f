"""`onprem projects webhook-secret`: show or rotate what signs a project's webhooks."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from onprem.cli.context import opened_database, operator
from onprem.cli.master import opened_secrets
from onprem.cli.output import emit_json, note
from onprem.config.quantities import Duration
from onprem.http.delivery_views import secret_list
from onprem.services.webhook_secrets import OVERLAP_SECONDS, ProjectSecrets, WebhookSecrets


def webhook_secret(
    project: Annotated[str, typer.Argument(help="The project's name or id.")],
    rotate: Annotated[bool, typer.Option("--rotate", help="Make a new one first.")] = False,
    overlap: Annotated[
        Any,
        typer.Option(
            parser=Duration.parse,
            metavar="DURATION",
            help="How long a rotated one goes on signing; 24h where absent.",
        ),
    ] = None,
    config: Annotated[Path | None, typer.Option("--config", help="The configuration file.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Print the secret that signs a project's webhooks; receivers verify with it.

    \b
    EXAMPLES
      onprem projects webhook-secret default
      onprem projects webhook-secret sales --rotate --overlap 2h

    \b
    EXIT STATUS
      0; 2 --overlap without --rotate; 3 faulty configuration; 4 no data directory, or its master
      key is unusable; 6 no such project, or the overlap is longer than 30d.
    """
    if overlap is not None and not rotate:
        raise typer.BadParameter("it is for a rotation; add --rotate", param_hint="--overlap")
    lasts = OVERLAP_SECONDS if overlap is None else float(overlap)
    found = secret_list(asyncio.run(_secrets(config, project, rotate, lasts)))
    if json:
        emit_json(found)
        return
    newest, *older = found.secrets
    typer.echo(newest.secret)
    for secret in older:
        note(f"until {secret.retires_at} also signed with {secret.secret}")


async def _secrets(
    config: Path | None, project: str, rotate: bool, overlap: float
) -> ProjectSecrets:
    async with opened_database(config) as (database, clock):
        secrets = await opened_secrets(config, database)
        webhook_secrets = WebhookSecrets(database, secrets, clock)
        if rotate:
            return await webhook_secrets.rotate(project, overlap, actor=operator())
        return await webhook_secrets.reveal(project, actor=operator())
