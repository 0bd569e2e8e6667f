"""`onprem doctor`: what is broken or at risk, and what to do."""

import asyncio
import os
import textwrap
from pathlib import Path
from typing import Annotated

import typer

from onprem.cli.context import continued_clock, opened_database, operator
from onprem.cli.exit_codes import FAILED
from onprem.cli.output import emit_json
from onprem.config.load import load_settings
from onprem.config.settings import Settings
from onprem.errors import ConfigInvalid
from onprem.services.doctor import catalogue
from onprem.services.doctor.accept_clock import Accepted, accept_clock
from onprem.services.doctor.examination import Patient, examine
from onprem.services.doctor.finding import Finding, Report, Severity
from onprem.services.doctor.promises import spoken
from onprem.stamp import Stamp
from onprem.store.data_directory import DataDirectory
from onprem.store.database import Database
from onprem.wiring import master_key_file, network_policies, trusted_voiceprint_keys

_WIDTH = 96
_NAMES = {Severity.BROKEN: "BROKEN", Severity.AT_RISK: "at risk", Severity.UNKNOWN: "unknown"}
_VERDICTS = {
    "broken": "broken: a promise is violated now",
    "at_risk": "at risk: all promises hold, and something puts them at risk",
    "sound": "sound",
}


def doctor(
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 also for what is only at risk.")
    ] = False,
    deep: Annotated[
        bool,
        typer.Option("--deep", help="Open every record and hash every model; takes minutes."),
    ] = False,
    accept_clock: Annotated[
        bool,
        typer.Option(
            "--accept-clock", help="Set retention time, which ran ahead, back to the clock."
        ),
    ] = False,
    config: Annotated[Path | None, typer.Option("--config", help="The configuration file.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Look whether every promise holds, and what puts one at risk. Changes nothing.

    Works beside a running server, too. Each finding says what to do; docs/doctor.md lists all.

    With --accept-clock it does something else: after a clock that was wrong has driven retention
    time ahead, it sets that back. The server must be stopped. What was stored meanwhile keeps the
    time that it had left, and the ledger notes the act.

    \b
    EXAMPLES
      onprem doctor
      onprem doctor --strict --json
      onprem doctor --deep
      onprem doctor --accept-clock

    \b
    EXIT STATUS
      0  every promise holds; with --strict, nothing puts one at risk either
      1  a promise is violated
      2  the command line is wrong
      4  no data directory, or another user's; with --accept-clock, a server runs,
         retention time is not ahead, or the clock is not synchronised
    """
    if accept_clock:
        accepted = asyncio.run(_accept(config))
        _tell_accepted(accepted, json=json)
        return
    try:
        settings = _sound_settings(config)
    except ConfigInvalid as error:
        faults = [
            catalogue.CONFIG_INVALID.found(field=fault.field, message=fault.message)
            for fault in error.faults
        ]
        report = Report.of(faults, server_runs=False)
    else:
        patient = Patient(settings, master_key_file(settings, os.environ), deep=deep)
        report = asyncio.run(examine(patient, _told))
    if json:
        emit_json(report)
    else:
        _tell(report)
    if report.verdict == "broken" or (strict and report.verdict == "at_risk"):
        raise typer.Exit(FAILED)


def _sound_settings(config: Path | None) -> Settings:
    """Raises ConfigInvalid."""
    settings = load_settings(config)
    network_policies(settings)
    trusted_voiceprint_keys(settings)
    return settings


async def _told(database: Database) -> Stamp:
    return (await continued_clock(database)).stamp()


async def _accept(config: Path | None) -> Accepted:
    settings = load_settings(config)
    async with opened_database(config) as (database, clock):
        lock = DataDirectory(settings.storage.data_dir, settings.keys_dir).lock()
        try:
            return await accept_clock(database, clock, operator())
        finally:
            lock.release()


def _tell_accepted(accepted: Accepted, *, json: bool) -> None:
    if json:
        emit_json({"leadSeconds": accepted.lead, "redated": accepted.redated})
        return
    typer.echo(f"Retention time was {spoken(accepted.lead)} ahead, and is the clock's again.")
    typer.echo(f"{accepted.redated} record(s) made meanwhile keep the time that they had left.")


def _tell(report: Report) -> None:
    widest = max((len(finding.code) for finding in report.findings), default=0)
    for finding in report.findings:
        _tell_finding(finding, widest)
    counted = [
        f"{sum(finding.severity is severity for finding in report.findings)} {name.lower()}"
        for severity, name in _NAMES.items()
    ]
    server = "a server runs" if report.server_runs else "no server runs"
    typer.echo(f"{_VERDICTS[report.verdict]} ({', '.join(counted)}; {server})")


def _tell_finding(finding: Finding, widest: int) -> None:
    head = f"{_NAMES[finding.severity]:<9}{finding.code:<{widest}}  "
    for number, text in enumerate((finding.what, finding.remedy)):
        start = " " * len(head) if number else head
        rest = " " * len(head)
        typer.echo(textwrap.fill(text, _WIDTH, initial_indent=start, subsequent_indent=rest))
