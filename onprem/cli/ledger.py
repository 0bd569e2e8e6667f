"""`onprem ledger`: show, export and verify the ledger of deletions and acts."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from onprem.cli.context import opened_database
from onprem.cli.exit_codes import FAILED
from onprem.cli.ledger_entry import ShownEntry, shown_entry
from onprem.cli.options import Config, Json
from onprem.cli.output import date, emit_json, emit_table
from onprem.cli.public_key import public_key as read_public_key
from onprem.cli.signer import opened_signer
from onprem.cli.verification import emit_verification
from onprem.core.anchors import AnchorFile, read_anchors
from onprem.core.ledger import EntryKind
from onprem.core.ledger_verification import verify as verify_lines
from onprem.core.verification_report import Verification
from onprem.errors import InvalidRequest
from onprem.faults import Fault
from onprem.services.export_file import lines_of, write_export
from onprem.services.ledger_export import LedgerExport
from onprem.services.ledger_reading import LedgerReading
from onprem.services.signing import Signer

app = typer.Typer(
    name="ledger",
    help="Show, export and verify the ledger of deletions and acts. It holds no content.",
    no_args_is_help=True,
)

PublicKey = Annotated[
    Any,
    typer.Option(
        "--public-key",
        parser=read_public_key,
        metavar="KEY|FILE",
        help="The installation's public key, as `onprem ledger key` printed it once.",
    ),
]


@app.command()
def show(
    job: Annotated[str | None, typer.Option("--job", help="Only entries of this job.")] = None,
    kind: Annotated[EntryKind | None, typer.Option("--kind", help="Only this kind.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many at most.")] = 20,
    config: Config = None,
    json: Json = False,
) -> None:
    """Show entries of the ledger, the newest first.

    \b
    EXAMPLES
      onprem ledger show --limit 100
      onprem ledger show --job 1a20dbb3-2c96-482d-b5ae-d7770645c786 --json
      onprem ledger show --kind act

    \b
    EXIT STATUS
      0; 3 faulty configuration; 4 no data directory.
    """
    found = asyncio.run(_show(config, job, kind, limit))
    if json:
        emit_json(found)
        return
    rows = [
        [str(each.seq), date(each.at) or "", each.kind, each.job_id or "-", each.summary]
        for each in found
    ]
    emit_table(rows, ["number", "time", "kind", "job", "what"])


@app.command()
def key(config: Config = None, json: Json = False) -> None:
    """Print the public key that this installation's signatures are checked by.

    Keep a copy where this host cannot reach: what it signs is checked against that copy.

    \b
    EXAMPLES
      onprem ledger key > onprem.pub

    \b
    EXIT STATUS
      0; 3 faulty configuration; 4 no data directory, or its master key is unusable; 7 the disk is
      full, and there is no key yet.
    """
    signer = asyncio.run(_signer(config))
    shown = b64encode(signer.public_key).decode()
    if json:
        emit_json({"publicKey": shown, "installation": signer.installation})
    else:
        typer.echo(shown)


@app.command()
def export(
    to: Annotated[
        Path | None, typer.Option("--to", help="A file that does not exist yet; default stdout.")
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            "--from",
            formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"],
            help="Leave out entries older than this day or moment (UTC).",
        ),
    ] = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Export the ledger, the access log and all checkpoints, as signed JSON lines.

    `onprem ledger verify FILE` checks it anywhere. It holds ids and times, no content.

    \b
    EXAMPLES
      onprem ledger export --to ledger-2027-01.jsonl
      onprem ledger export --from 2027-01-01 | gzip > ledger.jsonl.gz

    \b
    EXIT STATUS
      0; 1 the file could not be written, or old entries were taken away meanwhile; 3 faulty
      configuration; 4 no data directory, or its master key is unusable: an export is signed.
    """
    moment = None if since is None else since.replace(tzinfo=UTC).timestamp()
    written = asyncio.run(_export(config, to, moment))
    if to is None:
        return
    if json:
        emit_json({"to": str(to), "bytes": written})
    else:
        typer.echo(f"wrote {to}, {written} bytes")


@app.command()
def verify(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="An export; default: what is stored here now."),
    ] = None,
    public_key: PublicKey = None,
    anchor: Annotated[
        Path | None,
        typer.Option(
            "--anchor", help="Checkpoints that were kept elsewhere, such as checkpoint_file."
        ),
    ] = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Verify an export, with nothing but it and the public key, or what is stored here.

    Finds each entry or checkpoint that was changed, removed, added or moved, and names it. With
    --anchor also what the installation itself changed or cut off after a checkpoint left it; what
    came after the last anchor is named as not anchored yet.

    \b
    EXAMPLES
      onprem ledger verify
      onprem ledger verify ledger.jsonl --public-key onprem.pub --anchor checkpoints.jsonl

    \b
    EXIT STATUS
      0 it is intact; 1 it is not, or old entries were taken away meanwhile; 2 an export without
      its public key; 3 faulty configuration; 4 no data directory, or its master key is unusable;
      6 a file cannot be read.
    """
    if file is None:
        verification = asyncio.run(_verify_stored(config, public_key, anchor))
    elif public_key is None:
        why = "an export proves nothing by the key that it brings"
        raise typer.BadParameter(why, param_hint="--public-key")
    else:
        verification = _verify_file(file, public_key, anchor)
    if json:
        emit_json(verification)
    else:
        emit_verification(verification)
    if not verification.intact:
        raise typer.Exit(FAILED)


async def _show(
    config: Path | None, job: str | None, kind: EntryKind | None, limit: int
) -> list[ShownEntry]:
    async with opened_database(config) as (database, _):
        page = await LedgerReading(database).page(limit=limit, kind=kind, job_id=job)
        return [shown_entry(entry) for entry in page.entries]


async def _signer(config: Path | None) -> Signer:
    async with opened_database(config) as (database, clock):
        return await opened_signer(config, database, clock)


@asynccontextmanager
async def _opened(config: Path | None) -> AsyncIterator[tuple[LedgerExport, Signer]]:
    async with opened_database(config) as (database, clock):
        signer = await opened_signer(config, database, clock)
        yield LedgerExport(database, signer, clock), signer


async def _export(config: Path | None, to: Path | None, since: float | None) -> int:
    async with _opened(config) as (ledger_export, _):
        pages = ledger_export.pages(since)
        if to is not None:
            return await write_export(to, pages)
        async for page in pages:
            typer.echo(b"".join(page).decode(), nl=False)
        return 0


async def _verify_stored(
    config: Path | None, public_key: bytes | None, anchor: Path | None
) -> Verification:
    async with _opened(config) as (ledger_export, signer):
        if public_key not in (None, signer.public_key):
            why = "it is not the key of this installation"
            raise typer.BadParameter(why, param_hint="--public-key")
        return await ledger_export.verification(_anchors(anchor, signer.public_key))


def _verify_file(file: Path, public_key: bytes, anchor: Path | None) -> Verification:
    anchors = _anchors(anchor, public_key)
    try:
        return verify_lines(lines_of(file), public_key, anchors)
    except OSError as error:
        raise InvalidRequest([Fault("FILE", f"It cannot be read: {error.strerror}")]) from None


def _anchors(path: Path | None, public_key: bytes) -> AnchorFile | None:
    if path is None:
        return None
    try:
        return read_anchors(lines_of(path), public_key)
    except OSError as error:
        raise InvalidRequest([Fault("--anchor", f"It cannot be read: {error.strerror}")]) from None
