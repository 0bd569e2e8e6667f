"""`onprem voiceprints`: sharing voiceprints between installations."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from onprem.cli.context import opened_database, operator
from onprem.cli.master import opened_secrets
from onprem.services.voiceprints import shown_key

app = typer.Typer(name="voiceprints", help="Voiceprints of this installation.")


@app.callback()
def voiceprints() -> None:
    """So that `key` is a command of its own."""


@app.command("key")
def key(
    config: Annotated[Path | None, typer.Option("--config", help="The configuration file.")] = None,
) -> None:
    """Print the key that this installation signs voiceprints with.

    Another installation takes its voiceprints once a file with this key (0600) is named in its
    auth.trusted_voiceprint_keys. Whoever has it can forge voiceprints.

    \b
    EXAMPLES
      (umask 077; onprem voiceprints key > /etc/onprem/secrets/munich.key)

    \b
    EXIT STATUS
      0; 3 faulty configuration; 4 no data directory, or its master key is unusable.
    """
    typer.echo(asyncio.run(_key(config)).hex())


async def _key(config: Path | None) -> bytes:
    async with opened_database(config) as (database, clock):
        secrets = await opened_secrets(config, database)
        return await shown_key(database, secrets, clock, actor=operator())
