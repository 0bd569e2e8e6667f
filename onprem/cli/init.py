"""`onprem init`: a configuration, a data directory, a master key, the first project and key."""

import asyncio
import os
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from onprem.cli.context import operator
from onprem.cli.output import emit_json
from onprem.clock import system_clock
from onprem.config.render import example, toml_value
from onprem.config.settings import Settings, Storage
from onprem.errors import DataDirectoryExists, FolderUnusable
from onprem.services.keys import ALL_SCOPES, Keys
from onprem.services.projects import Projects
from onprem.store.data_directory import DataDirectory
from onprem.store.new_store import new_store

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
    keys_dir: Annotated[
        Path | None,
        typer.Option(
            "--keys-dir", help="Where the record keys shall lie; default `keys` in the data."
        ),
    ] = None,
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
      onprem init --keys-dir /mnt/keys/onprem

    \b
    EXIT STATUS
      0 when everything was made; 4 when the configuration or the data directory exists, or a
      folder that exists is open to others.
    """
    storage = Storage(
        data_dir=data_dir.absolute(), keys_dir=keys_dir.absolute() if keys_dir else None
    )
    installation = asyncio.run(_install(config.absolute(), storage))
    if json:
        emit_json(installation)
        return
    typer.echo(f"configuration  {installation.config}")
    typer.echo(f"data           {installation.data_dir}")
    typer.echo(f"project        {installation.project}")
    typer.echo(f"API key        {installation.key}   (shown this once)")
    typer.echo(
        f"\nKeep {Settings(storage=storage).keys_dir} out of backups and snapshots: a copy of a"
        "\nrecord key undoes a deletion. Keep the master key in a safe place of its own:"
        f"\n{_master_key(config.absolute())}"
    )


async def _install(config: Path, storage: Storage) -> Installation:
    directory = DataDirectory(storage.data_dir, Settings(storage=storage).keys_dir)
    try:
        for path in (config, directory.database, directory.slots, _master_key(config)):
            if path.exists():
                raise DataDirectoryExists(path=path)
        config.parent.mkdir(parents=True, exist_ok=True)
        _master_key(config).parent.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise FolderUnusable(path=Path(error.filename).parent, why=error.strerror) from error
    async with new_store(directory, _master_key(config)) as database:
        _write_private(config, _configuration(storage))
        clock = system_clock()
        project = await Projects(database, clock).create(FIRST_PROJECT, actor=operator())
        keys = Keys(database, clock)
        issued = await keys.issue(project.name, "first key", ALL_SCOPES, actor=operator())
    return Installation(str(config), str(storage.data_dir), project.name, issued.secret)


def _configuration(storage: Storage) -> str:
    """The example file, with the folders that were named."""
    lines = {"#data_dir =": f"data_dir = {toml_value(storage.data_dir)}"}
    if storage.keys_dir is not None:
        lines["#keys_dir ="] = f"keys_dir = {toml_value(storage.keys_dir)}"
    rows = example().splitlines()
    return "\n".join(lines.get(row[: row.find("=") + 1], row) for row in rows) + "\n"


def _master_key(config: Path) -> Path:
    return config.parent / "secrets" / "master.key"


def _write_private(path: Path, text: str) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(path, flags, 0o600), "w") as file:
        file.write(text)
