"""`onprem voiceprints`: sharing voiceprints between installations."""

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer

from onprem.cli.context import opened_database, operator
from onprem.config.load import load_settings
from onprem.services.voiceprints import shown_key
from onprem.store import key_check
from onprem.store.master_key import MasterKey
from onprem.store.secrets import SecretStore
from onprem.wiring import master_key_file

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
    key_file = master_key_file(load_settings(config), os.environ)
    async with opened_database(config) as (database, clock):
        master = MasterKey.read(key_file)
        await key_check.check(database, master, key_file)
        secrets = SecretStore(database, master.derive("secrets"))
        return await shown_key(database, secrets, clock, actor=operator())
