"""`onprem backup`: what a new machine needs to go on, and nothing of what anybody said."""

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from onprem.cli.backup_text import tell_created, tell_outcome, tell_plan, tell_verdict
from onprem.cli.context import opened_database, operator
from onprem.cli.exit_codes import FAILED
from onprem.cli.options import Config, Json
from onprem.cli.output import emit_json, note
from onprem.clock import system_clock
from onprem.config.load import find_config, load_settings, settings_without_file
from onprem.config.settings import Settings
from onprem.errors import BackupUnusable, FolderUnusable, RestoreUnconfirmed
from onprem.services.backup.create import BackupMaker, Created
from onprem.services.backup.prepare import configuration_in, prepared
from onprem.services.backup.restore import Outcome, Plan
from onprem.services.backup.verify import verify as verify_file
from onprem.store import backup_file, key_check
from onprem.store.master_key import MasterKey
from onprem.wiring import master_key_file

CONSENT = "restore"
"""What somebody has to write whose installation would be replaced."""

app = typer.Typer(
    name="backup",
    help="Back up what a new machine needs to go on. No recording and no output is in it.",
    no_args_is_help=True,
)


@app.command()
def create(
    file: Annotated[
        Path, typer.Argument(help="A new file; or a folder, in which it is named by the time.")
    ],
    config: Config = None,
    json: Json = False,
) -> None:
    """Write a backup to one new file. The server may run meanwhile.

    It holds the configuration, projects, API keys (as hashes), secrets (wrapped by the master
    key), the ledger, the access log, checkpoints, and metadata of jobs. It holds no recording, no
    request, no output, no name of media, and no record key. The master key is not in it: keep
    that in a place of its own, for without it the backup cannot be restored.

    \b
    EXAMPLES
      onprem backup create /var/backups/onprem
      onprem backup create /mnt/backup/onprem.tar --config /etc/onprem/onprem.toml

    \b
    EXIT STATUS
      0; 1 it could not be written, or a file of that name exists; 3 faulty configuration; 4 no
      data directory, or its master key is unusable; 7 the disk of the data is full; 8 the database
      is busy.
    """
    settings = load_settings(config)
    key_file = master_key_file(settings, os.environ)
    if file.is_dir():
        file /= f"onprem-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.tar"
    created = asyncio.run(_create(config, settings, key_file, file))
    if json:
        emit_json(created)
        return
    tell_created(created, key_file, typer.echo)


async def _create(config: Path | None, settings: Settings, key_file: Path, file: Path) -> Created:
    async with opened_database(config) as (database, clock):
        master = MasterKey.read(key_file)
        await key_check.check(database, master, key_file)
        return await BackupMaker(database, clock, master, settings).create(file, actor=operator())


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="The backup.")],
    master_key: Annotated[
        Path | None,
        typer.Option("--master-key", help="See whether this key opens it, and whether it made it."),
    ] = None,
    json: Json = False,
) -> None:
    """Check every byte of a backup, its database, and both chains; say what it holds.

    Needs no installation. The database is unpacked to a temporary folder ($TMPDIR).

    \b
    EXAMPLES
      onprem backup verify /var/backups/onprem/onprem-20261123T020000Z.tar
      onprem backup verify onprem.tar --master-key /mnt/safe/master.key

    \b
    EXIT STATUS
      0 it is sound; 1 it is not, and what is wrong is named; 4 the key cannot be read.
    """
    master = None if master_key is None else MasterKey.read(master_key)
    try:
        verdict = asyncio.run(verify_file(file, wall=time.time(), master=master))
    except OSError as error:
        raise BackupUnusable(path=file, why=error.strerror) from error
    if json:
        emit_json(verdict)
    else:
        tell_verdict(verdict, typer.echo)
    if not verdict.sound:
        raise typer.Exit(FAILED)


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="The backup.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before replacing.")] = False,
    anchor: Annotated[
        Path | None,
        typer.Option(
            "--anchor",
            metavar="CHECKPOINTS",
            help="The checkpoints that this installation exported (retention.checkpoint_file).",
        ),
    ] = None,
    master_key: Annotated[
        Path | None,
        typer.Option(
            "--master-key",
            metavar="FILE",
            help="The master key that the backup was made under, where it is not in its place yet.",
        ),
    ] = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Put a backup in the place of the data directory. The server must be stopped.

    Needs the master key that the backup was made under. Where --config names a file that does not
    exist, the backup's configuration is written to it first, if that key made it: the key named by
    --master-key, the service's credential, or secrets/master.key beside that file, and never the
    one that the backup's configuration names.

    What is stored now is deleted, with receipts. A ledger that goes on from the backup's is kept,
    and what it says was revoked or erased since stays so. Jobs that had not ended fail with
    `restored_from_backup`. If this is killed, the data directory is as it was or as it shall be;
    run it again.

    \b
    EXAMPLES
      onprem backup restore onprem.tar --anchor /mnt/anchor/checkpoints.jsonl
      onprem backup restore onprem.tar --config /etc/onprem/onprem.toml --yes

    \b
    EXIT STATUS
      0; 1 the backup or the checkpoints are unusable, nobody confirmed, or something of what was
      there before resists; 3 faulty configuration; 4 a server runs, the master key is another one,
      the folder is somebody else's, or what it holds has another history; 7 the disk is full.
    """
    vacant = _vacant(config)
    if vacant is not None and master_key is None:
        master_key = master_key_file(settings_without_file(vacant), os.environ)
    with _configuration(vacant, file, master_key) as written:
        plan, outcome = asyncio.run(_restore(config, file, anchor, master_key, yes=yes))
    if json:
        emit_json({"plan": plan, "outcome": outcome})
        return
    if written is not None:
        typer.echo(f"configuration  written to {written}")
    tell_outcome(plan, outcome, typer.echo)


def _vacant(given: Path | None) -> Path | None:
    """Where a configuration is to be and is not; None: there is one, or none was asked for."""
    path = find_config(given, os.environ)
    return None if path is None or path.exists() else path


@contextmanager
def _configuration(path: Path | None, file: Path, key_file: Path | None) -> Iterator[Path | None]:
    """Write the backup's to `path` once its seal is checked; it goes again if the block fails."""
    if path is None or key_file is None:
        yield None
        return
    content = configuration_in(file, key_file)
    if content is None:
        yield None
        return
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise FolderUnusable(path=path.parent, why=error.strerror) from error
    with os.fdopen(fd, "wb") as target:
        target.write(content)
    try:
        yield path
    except BaseException:
        path.unlink()
        raise


async def _restore(
    config: Path | None,
    file: Path,
    anchor: Path | None,
    master_key: Path | None,
    *,
    yes: bool,
) -> tuple[Plan, Outcome]:
    settings = load_settings(config)
    key_file = master_key or master_key_file(settings, os.environ)
    clock = system_clock()
    async with prepared(file, settings, key_file, clock, anchors=anchor) as ready:
        tell_plan(ready.plan, note)
        if settings.source and settings.source.read_bytes() != backup_file.head(file)[1]:
            note(f"configuration  {settings.source} is kept; the backup's differs")
        if ready.plan.replaces is not None and not yes:
            note(f'This cannot be undone. Type "{CONSENT}" to go on: ')
            if sys.stdin.readline().strip() != CONSENT:
                raise RestoreUnconfirmed(path=ready.plan.data_dir)
        return ready.plan, await ready.carry_out(actor=operator())
