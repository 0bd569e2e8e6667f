"""`onprem purge`: plan, show, confirm, carry out, print the receipts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from onprem.cli.certificate_files import CertificateFiles, print_certificate
from onprem.cli.context import opened_artefacts, operator
from onprem.cli.exit_codes import FAILED
from onprem.cli.output import emit_json, note
from onprem.cli.purge_consent import Consent
from onprem.cli.purge_text import done_json, plan_json, tell_done, tell_nothing, tell_plan
from onprem.cli.signer import opened_signer
from onprem.clock import RetentionClock
from onprem.config.load import load_settings
from onprem.core.purge import Plan, Selection, What, selection
from onprem.errors import PurgeRefused
from onprem.faults import Fault
from onprem.runner.finish import Finisher
from onprem.runner.progress import ProgressBoard
from onprem.runner.wake import Wake
from onprem.services.cancellation import Cancellation
from onprem.services.purge import Purge, Purged
from onprem.services.sweep import Sweep, swept_lately
from onprem.store.artefacts import ArtefactStore
from onprem.store.data_directory import DataDirectory
from onprem.store.database import Database

RUNS_SECONDS = 60.0
"""How long the command waits for canceled runs to free their recordings."""


def purge(
    due: Annotated[
        bool, typer.Option("--due", help="What every sweep deletes: what is past its deadline.")
    ] = False,
    job: Annotated[
        str | None, typer.Option("--job", metavar="ID", help="All of one job, canceled if need be.")
    ] = None,
    media: Annotated[
        str | None,
        typer.Option(
            "--media", metavar="PROJECT/KEY", help="One upload; jobs that need it are canceled."
        ),
    ] = None,
    project: Annotated[
        str | None,
        typer.Option("--project", metavar="P", help="A whole project, by name or id, for good."),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All content of all projects; projects and keys stay.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be deleted, and why.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    confirm: Annotated[
        str | None,
        typer.Option(
            "--confirm", metavar="WORDS", help='With --all: "purge everything", not asked for then.'
        ),
    ] = None,
    certificate: Annotated[
        Path | None,
        typer.Option(
            "--certificate", metavar="FILE", help="With --project: write FILE.json and FILE.txt."
        ),
    ] = None,
    no_certificate: Annotated[
        bool,
        typer.Option("--no-certificate", help="With --project: erase without the master key."),
    ] = False,
    config: Annotated[Path | None, typer.Option("--config", help="The configuration file.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Delete now, for good, and print the receipts. Works whether a server runs or not.

    Shows each record that goes and why, then asks. Select one of --due, --job, --media, --project
    and --all. It may be repeated at any time: what is gone already is skipped.

    With --due --yes nothing is said or done where a server swept within the last minute and left
    nothing lying: that is what the systemd timer runs.

    A recording that a run holds in memory is freed by the end of that run, which is waited for, up
    to a minute. The erasure of a project ends with a certificate, signed with the installation's
    key; so it needs the master key, or --no-certificate.

    \b
    EXAMPLES
      onprem purge --due
      onprem purge --job 1a20dbb3-2c96-482d-b5ae-d7770645c786 --dry-run
      onprem purge --media sales/calls/monday.wav --yes
      onprem purge --project sales --certificate sales-erased
      onprem purge --all --yes --confirm "purge everything"

    \b
    EXIT STATUS
      0  all of it is deleted, or nothing was due
      1  something resisted or still runs, and is named; or the answer was no
      2  nothing, or too much, is selected, or it was not confirmed; nothing was deleted
      3 faulty configuration; 4 no data directory, or its master key is unusable; 6 what was named
      does not exist; 8 the database is locked.
    """
    chosen = selection(due=due, job=job, media=media, project=project, everything=everything)
    if chosen.what is not What.PROJECT and (certificate is not None or no_certificate):
        raise PurgeRefused([Fault("--certificate", "Only an erasure of a project has one")])
    if certificate is not None and no_certificate:
        raise PurgeRefused([Fault("--no-certificate", "Not together with --certificate")])
    consent = Consent(yes, confirm)
    consent.check(chosen)
    wanted = _Wanted(chosen, dry_run, consent, certificate, not no_certificate, json)
    asyncio.run(_purge(config, wanted))


class _Wanted(NamedTuple):
    """What the command was told."""

    selection: Selection
    dry_run: bool
    consent: Consent
    certificate: Path | None
    certified: bool
    json: bool


async def _purge(config: Path | None, wanted: _Wanted) -> None:
    async with _opened(config) as at_hand:
        if await _swept_by_another(at_hand, wanted):
            return
        if wanted.selection.what is What.PROJECT and wanted.certified and not wanted.dry_run:
            await at_hand.purge.signer()  # before anybody is asked anything
        plan = await at_hand.purge.plan(wanted.selection)
        if wanted.dry_run or (plan.empty and plan.selection.what is not What.DUE):
            _show(plan, wanted.json)
            return
        if not plan.empty:
            _ask(plan, wanted.consent)
        files = CertificateFiles(wanted.certificate) if wanted.certificate is not None else None
        done = await at_hand.purge.carry_out(
            plan,
            operator(),
            wait=RUNS_SECONDS,
            certified=wanted.certified,
            progress=_Progress(),
        )
        _tell(done, files, wanted.json)


def _ask(plan: Plan, consent: Consent) -> None:
    if consent.asks(plan.selection):
        tell_plan(plan, note)
    if not consent.given(plan.selection):
        note("nothing was purged")
        raise typer.Exit(FAILED)


def _show(plan: Plan, json: bool) -> None:
    if json:
        emit_json(plan_json(plan))
    elif plan.empty:
        tell_nothing(plan, typer.echo)
    else:
        tell_plan(plan, typer.echo)


def _tell(done: Purged, files: CertificateFiles | None, json: bool) -> None:
    """Raises what the purge failed with, after all that was done is told."""
    if json:
        emit_json(done_json(done))
    elif done.plan.empty and not done.failures:
        tell_nothing(done.plan, typer.echo)
    else:
        tell_done(done, typer.echo)
    if done.certificate is not None and files is not None:
        files.write(done.certificate)
    elif done.certificate is not None and not json:
        print_certificate(done.certificate)
    elif files is not None:
        files.drop()
    done.check()


class _AtHand(NamedTuple):
    """What the command works on."""

    database: Database
    artefacts: ArtefactStore
    clock: RetentionClock
    purge: Purge


@asynccontextmanager
async def _opened(config: Path | None) -> AsyncIterator[_AtHand]:
    settings = load_settings(config)
    directory = DataDirectory(settings.storage.data_dir, settings.keys_dir)
    async with opened_artefacts(config) as (database, artefacts, clock):
        finisher = Finisher(database, artefacts, clock)
        # Nobody waits in this process for what it does; a server finds it in the database.
        cancellation = Cancellation(database, artefacts, finisher, ProgressBoard(), Wake(), clock)
        sweep = Sweep(database, artefacts, clock, settings)
        purge = Purge(
            database,
            artefacts,
            finisher,
            cancellation,
            sweep,
            clock,
            directory.alone,
            partial(opened_signer, config, database, clock),
        )
        yield _AtHand(database, artefacts, clock, purge)


async def _swept_by_another(at_hand: _AtHand, wanted: _Wanted) -> bool:
    """Whether the timer has nothing to do."""
    if wanted.selection.what is not What.DUE or wanted.dry_run or not wanted.consent.yes:
        return False
    swept = await swept_lately(at_hand.database, at_hand.artefacts, at_hand.clock)
    if swept and wanted.json:
        emit_json({"sweptLately": True})
    return swept


class _Progress:
    """Says how far a long purge has come, at each tenth."""

    LONG = 500

    def __init__(self) -> None:
        self._told = 0

    def __call__(self, done: int, planned: int) -> None:
        tenth = 10 * done // planned
        if planned >= self.LONG and tenth != self._told:
            self._told = tenth
            note(f"{done} of {planned}")
