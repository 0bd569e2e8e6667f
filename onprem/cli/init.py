"""`onprem init`: a configuration, a data directory, a master key, the first project and key."""

import asyncio
import os
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from onprem.cli.output import emit_json
from onprem.clock import SystemClock
from onprem.config.load import load_settings
from onprem.config.render import example, toml_value
from onprem.errors import DataDirectoryExists
from onprem.services.keys import ALL_SCOPES, Keys
from onprem.services.projects import Projects
from onprem.store.data_directory import DataDirectory
from onprem.store.database import Database
from onprem.store.master_key import MasterKey
from onprem.store.migrate import migrate

FIRST_PROJECT = "default"


class Installation(msgspec.Struct, frozen=True, rename="camel"):
    """What `init --json` prints. The key is shown this once."""

    config: str
    data_dir: str
    project: str
    key: str


def init(
    data_dir: Annotated[Path, typer.Option("--data-dir", help="Where the data shall lie.")] = Path(
        "onprem-data"
    ),
    config: Annotated[
        Path, typer.Option("--config", help="Where to write the configuration.")
    ] = Path("onprem.toml"),
    json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Set up a new installation. Nothing that exists is overwritten.

    \b
    EXAMPLES
      onprem init
      onprem init --data-dir /var/lib/onprem --config /etc/onprem/onprem.toml

    \b
    EXIT STATUS
      0 when everything was made; 4 when the configuration or the data directory exists.
    """
    installation = asyncio.run(_install(config.absolute(), data_dir.absolute()))
    if json:
        emit_json(installation)
        return
    typer.echo(f"configuration  {installation.config}")
    typer.echo(f"data           {installation.data_dir}")
    typer.echo(f"project        {installation.project}")
    typer.echo(f"API key        {installation.key}   (shown this once)")
    typer.echo(
        f"\nKeep {installation.data_dir}/keys out of backups and snapshots: a copy of a record"
        "\nkey undoes a deletion. Keep the master key in a safe place of its own:"
        f"\n{_master_key(config.absolute())}"
    )


async def _install(config: Path, data_dir: Path) -> Installation:
    directory = DataDirectory(data_dir, data_dir / "keys")
    for path in (config, directory.database, _master_key(config)):
        if path.exists():
            raise DataDirectoryExists(path=path)
    config.parent.mkdir(parents=True, exist_ok=True)
    _master_key(config).parent.mkdir(mode=0o700, exist_ok=True)
    MasterKey.create(_master_key(config))
    directory.create()
    _write_private(config, _configuration(data_dir))
    settings = load_settings(config, {})
    database = Database(directory.database)
    await database.open()
    try:
        await migrate(database)
        clock = SystemClock()
        project = await Projects(database, clock).create(FIRST_PROJECT)
        issued = await Keys(database, clock).issue(project.name, "first key", ALL_SCOPES)
    finally:
        await database.close()
    return Installation(str(config), str(settings.storage.data_dir), project.name, issued.secret)


def _configuration(data_dir: Path) -> str:
    """The example file, with the one option set that has no good default."""
    line = f"data_dir = {toml_value(data_dir)}"
    return (
        "\n".join(line if row.startswith("#data_dir =") else row for row in example().splitlines())
        + "\n"
    )


def _master_key(config: Path) -> Path:
    return config.parent / "secrets" / "master.key"


def _write_private(path: Path, text: str) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(path, flags, 0o600), "w") as file:
        file.write(text)
