"""`onprem share`: a recording with its outputs, by consent, for whoever looks into a fault."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer

from onprem.cli.context import opened_artefacts, operator
from onprem.cli.output import emit_json, emit_table
from onprem.config.load import load_settings
from onprem.core.share import Manifest
from onprem.services.share_files import ShareRequest
from onprem.services.sharing import Sharing

app = typer.Typer(name="share", help="Share a recording with its outputs, by explicit consent.")


@app.callback()
def share() -> None:
    """So that `create` is a command of its own."""


@app.command()
def create(
    job: Annotated[str, typer.Option("--job", help="The job whose output is in question.")],
    expected: Annotated[
        Path,
        typer.Option("--expected", help="What it should have been: .rttm, .json (ours) or .txt."),
    ],
    consent: Annotated[
        Path, typer.Option("--consent", help="The consent document: JSON, see docs/sharing.md.")
    ],
    recipient: Annotated[
        list[str], typer.Option("--recipient", help="An age public key (age1…); may be repeated.")
    ],
    to: Annotated[Path, typer.Option("--to", help="The bundle: a file that does not exist yet.")],
    audio: Annotated[
        Path | None,
        typer.Option("--audio", help="The recording, where it is not stored (any more)."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", help="The produced output as JSON, where it is not stored."),
    ] = None,
    config: Annotated[Path | None, typer.Option("--config", help="The configuration file.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Write an encrypted bundle of a recording, its produced and its expected output.

    Only with a consent document that names the job and has not expired. The ledger notes who
    shared what with which key. Nothing is sent: handing the bundle over is up to you. It is for
    validation and testing only, and says so. The recipient opens it with `age`.

    \b
    EXAMPLES
      onprem share create --job 1a20dbb3-2c96-482d-b5ae-d7770645c786 --expected expected.rttm \\
        --consent consent.json --recipient age1… --to case-17.tar.age
      age -d -i key.txt case-17.tar.age | tar xf -

    \b
    EXIT STATUS
      0; 1 the bundle could not be written; 3 faulty configuration; 4 no data directory, or its
      master key is unusable; 6 no such job, it has no output, or what was given has faults: each
      is named; 7 the disk of the data is full; 8 the database is busy.
    """
    request = ShareRequest(
        job_id=job,
        expected=expected,
        consent=consent,
        recipients=recipient,
        to=to,
        audio=audio,
        output=output,
    )
    manifest = asyncio.run(_create(config, request))
    if json:
        emit_json({"bundle": str(to), "manifest": manifest})
        return
    emit_table(
        [[part.name, str(part.bytes), part.source, part.sha256] for part in manifest.parts],
        ["part", "bytes", "source", "sha256"],
    )
    for line in _rates(manifest):
        typer.echo(line)
    typer.echo(f"written {to}")


def _rates(manifest: Manifest) -> list[str]:
    scores = manifest.scores
    lines = []
    if scores.diarization is not None:
        lines.append(f"DER {_percent(scores.diarization.der)}")
    if scores.transcription is not None:
        lines.append(f"WER {_percent(scores.transcription.wer)}")
    return lines + list(scores.not_scored.values())


def _percent(rate: float | None) -> str:
    return "undefined: nothing is expected" if rate is None else f"{100 * rate:.1f} %"


async def _create(config: Path | None, request: ShareRequest) -> Manifest:
    async with _opened(config) as sharing:
        return await sharing.create(request)


@asynccontextmanager
async def _opened(config: Path | None) -> AsyncIterator[Sharing]:
    """The one command that reads content: it needs the master key.

    Raises MasterKeyUnusable, and as `opened_database`.
    """
    settings = load_settings(config)
    kept = [settings.storage.data_dir, settings.keys_dir]
    async with opened_artefacts(config, readable=True) as (database, artefacts, clock):
        yield Sharing(database, artefacts, clock, actor=operator(), kept=kept)
