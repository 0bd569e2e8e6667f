"""The entry point: `run` gives each command its streams, and each error its exit code."""

import contextlib
import os
import sys
from typing import TextIO

import typer

from onprem import __version__
from onprem.cli import (
    audit,
    backup,
    config,
    evidence,
    jobs,
    keys,
    ledger,
    media,
    models,
    projects,
    share,
    voiceprints,
)
from onprem.cli.doctor import doctor
from onprem.cli.exit_codes import FAILED, OK, exit_code
from onprem.cli.init import init
from onprem.cli.purge import purge
from onprem.cli.serve import serve
from onprem.cli.usage import usage
from onprem.errors import ConfigInvalid, InvalidRequest, OnpremError

app = typer.Typer(
    name="onprem",
    help="The speech server that runs inside your own walls.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(init)
app.command()(serve)
app.command()(usage)
app.command()(purge)
app.command()(doctor)
for group in (
    *(config.app, keys.app, projects.app, jobs.app, media.app, models.app, voiceprints.app),
    *(ledger.app, audit.app, evidence.app, backup.app, share.app),
):
    app.add_typer(group)


@app.command()
def version() -> None:
    """Print the version.

    \b
    EXAMPLES
      onprem version

    \b
    EXIT STATUS
      0.
    """
    typer.echo(__version__)


def run(argv: list[str], out: TextIO, err: TextIO) -> int:
    """Run one command. Returns its exit code; never raises for what a user did."""
    command = typer.main.get_command(app)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            command(argv, prog_name="onprem")
        except OnpremError as error:
            err.write(_told(error))
            return exit_code(error)
        except SystemExit as end:  # how typer ends every command, and every wrong command line
            return _status(end, err)
    return OK


def _status(end: SystemExit, err: TextIO) -> int:
    """As Python itself takes it: no code is success, a text is told and a failure."""
    if end.code is None or isinstance(end.code, int):
        return end.code or OK
    err.write(f"{end.code}\n")
    return FAILED


def _told(error: OnpremError) -> str:
    lines = [f"onprem: {error}"]
    if isinstance(error, ConfigInvalid | InvalidRequest):
        lines += [f"  {fault.field}: {fault.message}" for fault in error.faults]
    lines.append(f"  {error.advice}")
    return "\n".join(lines) + "\n"


def main() -> None:
    os.umask(0o077)  # what this process writes is for its own user
    sys.exit(run(sys.argv[1:], sys.stdout, sys.stderr))
