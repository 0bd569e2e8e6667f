"""`onprem evidence`: one signed file for an auditor, and its verification."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from onprem.cli.context import opened_database, operator
from onprem.cli.exit_codes import FAILED
from onprem.cli.options import Json
from onprem.cli.output import emit_json
from onprem.cli.public_key import public_key as read_public_key
from onprem.cli.signer import opened_signer
from onprem.cli.verification import emit_verification
from onprem.config.load import load_settings
from onprem.core.anchors import AnchorFile, read_anchors
from onprem.core.evidence import Evidence
from onprem.core.evidence_interval import Interval, read_interval
from onprem.core.evidence_verification import EvidenceReport, verify as verify_pack
from onprem.errors import InvalidRequest
from onprem.faults import Fault
from onprem.services.doctor.examination import Patient, examine
from onprem.services.doctor.finding import Report
from onprem.services.evidence.gauges import StoredGauges, stored_gauges
from onprem.services.evidence.pack import EvidencePacks
from onprem.services.export_file import lines_of, write_export
from onprem.stamp import Stamp
from onprem.store.database import Database
from onprem.wiring import master_key_file

_CHUNK = 1 << 20

app = typer.Typer(name="evidence", invoke_without_command=True)


@app.callback()
def evidence(
    context: typer.Context,
    since: Annotated[
        str | None,
        typer.Option("--from", metavar="DATE", help="From this day on, or this moment (UTC)."),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--to", metavar="DATE", help="To the end of this day; default now."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", help="A file that does not exist yet.")
    ] = None,
    access_log: Annotated[
        bool, typer.Option("--access-log", help="Put in who read which id, when.")
    ] = False,
    config: Annotated[Path | None, typer.Option("--config", help="The configuration file.")] = None,
    json: Json = False,
) -> None:
    """Write one signed file that shows what was promised, done and deleted in an interval.

    In it: the retention policy, the inventory of all places where bytes can live, the ledger with
    its checkpoints, results of canaries, how deadlines are kept now, what the doctor finds, the
    settings and all versions. No content, no name, no URL, no secret. Its README.txt tells an
    auditor what each part shows. The ledger notes that it was made.

    `onprem evidence verify FILE` checks it anywhere.

    \b
    EXAMPLES
      onprem evidence --from 2026-10-01 --to 2026-10-31 --output october.tar
      onprem evidence --from 2026-11-23T08:00:00Z --access-log --output incident.tar

    \b
    EXIT STATUS
      0; 1 the file could not be written, or old entries were taken away meanwhile; 2 the command
      line is wrong; 3 faulty configuration; 4 no data directory, or its master key is unusable: a
      pack is signed; 6 no such interval; 7 the disk is full; 8 the database is locked.
    """
    if context.invoked_subcommand is not None:
        return
    if since is None or output is None:
        missing = "--from" if since is None else "--output"
        raise typer.BadParameter("it is needed", param_hint=missing)
    manifest, size = asyncio.run(_create(config, since, until, output, access_log=access_log))
    if json:
        emit_json({"file": str(output), "bytes": size, "manifest": manifest})
    else:
        typer.echo(f"wrote {output}, {size} bytes: {_interval(manifest)}")


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A pack.")],
    public_key: Annotated[
        Any,
        typer.Option(
            "--public-key",
            parser=read_public_key,
            metavar="KEY|FILE",
            help="The installation's public key, as `onprem ledger key` printed it once.",
        ),
    ],
    anchor: Annotated[
        Path | None,
        typer.Option(
            "--anchor", help="Checkpoints that were kept elsewhere, such as checkpoint_file."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Verify a pack, with nothing but it and the public key.

    Finds each bit that was changed, each part that was removed, added or moved, a ledger that is
    not whole or of another interval, and counts that are not those of the ledger. With --anchor
    also a ledger that the installation itself changed before it signed it.

    \b
    EXAMPLES
      onprem evidence verify october.tar --public-key onprem.pub
      onprem evidence verify october.tar --public-key onprem.pub --anchor checkpoints.jsonl

    \b
    EXIT STATUS
      0 it is intact; 1 it is not; 2 the command line is wrong; 6 a file cannot be read.
    """
    try:
        anchors = None if anchor is None else _anchors(anchor, public_key)
        report = verify_pack(_chunks(file), public_key, anchors)
    except OSError as error:
        why = f"{error.filename} cannot be read: {error.strerror}"
        raise InvalidRequest([Fault("FILE", why)]) from None
    if json:
        emit_json(report)
    else:
        _tell(report)
    if not report.intact:
        raise typer.Exit(FAILED)


async def _create(
    config: Path | None, since: str, until: str | None, output: Path, *, access_log: bool
) -> tuple[Evidence, int]:
    settings = load_settings(config)
    key_file = master_key_file(settings, os.environ)
    async with opened_database(config) as (database, clock):
        signer = await opened_signer(config, database, clock)
        interval = read_interval(since, until, now=clock.now())
        if not isinstance(interval, Interval):
            raise InvalidRequest([Fault(f"--{fault.field}", fault.message) for fault in interval])

        async def told(_: Database) -> Stamp:
            return clock.stamp()

        async def gauges() -> StoredGauges:
            return await stored_gauges(database, clock)

        async def examined() -> Report:
            return await examine(Patient(settings, key_file), told)

        packs = EvidencePacks(database, signer, clock, settings, key_file, gauges, examined)
        pack = await packs.pack(interval, access_log=access_log, actor=operator())
        return pack.manifest, await write_export(output, pack.pages)


def _anchors(path: Path, public_key: bytes) -> AnchorFile:
    return read_anchors(lines_of(path), public_key)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _interval(manifest: Evidence) -> str:
    return f"from {manifest.since:%Y-%m-%dT%H:%M:%SZ} to {manifest.until:%Y-%m-%dT%H:%M:%SZ}"


def _tell(report: EvidenceReport) -> None:
    typer.echo(f"installation {report.installation}")
    if (manifest := report.manifest) is not None:
        made = f"{manifest.created_at:%Y-%m-%dT%H:%M:%SZ} by onprem {manifest.onprem}"
        typer.echo(f"{_interval(manifest)}, made {made}")
        typer.echo(f"parts as they were signed: {len(report.parts)} of {len(manifest.parts)}")
    if report.canaries is not None:
        found = [f"{count} {verdict}" for verdict, count in report.canaries.items()]
        typer.echo(f"canaries: {', '.join(found) or 'none in the interval'}")
    if report.ledger is not None:
        typer.echo("")
        typer.echo("ledger.jsonl")
        emit_verification(report.ledger)
        typer.echo("")
    for problem in report.problems:
        typer.echo(f"BROKEN: {problem.where} {problem.what}")
    if report.unlisted:
        typer.echo(f"BROKEN: and {report.unlisted} more")
    typer.echo("the pack is intact" if report.intact else "the pack is NOT INTACT")
