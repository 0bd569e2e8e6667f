"""`onprem audit`: who read what was said."""

import asyncio
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from onprem.cli.context import opened_database
from onprem.cli.output import date, emit_json, emit_table
from onprem.core.access import Access
from onprem.services.ledger_reading import Accessed, LedgerReading

app = typer.Typer(name="audit", help="Who read what was said.")


class ShownAccess(Access, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """An access and when it was: ISO 8601, by retention time and by the machine's clock."""

    number: int
    at: str | None
    wall: str | None


@app.callback()
def audit() -> None:
    """So that `show` is a command of its own."""


@app.command()
def show(
    job: Annotated[str, typer.Option("--job", help="The job's id.")],
    config: Annotated[Path | None, typer.Option("--config", help="The configuration file.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Show who read a job's output, edits and media, by which key and when.

    The media is known for as long as the job leaves a tombstone (retention.metadata).

    \b
    EXAMPLES
      onprem audit show --job 1a20dbb3-2c96-482d-b5ae-d7770645c786

    \b
    EXIT STATUS
      0, also where nobody read it; 3 faulty configuration; 4 no data directory; 6 no such job.
    """
    found = asyncio.run(_accesses(config, job))
    if json:
        emit_json([_shown(each) for each in found])
        return
    if not found:
        typer.echo("nobody read it")
        return
    rows = []
    for each in found:
        access = each.access
        rows.append(
            [str(each.number), date(each.at) or "", access.who, access.what, access.means]
            + [access.result, access.artefact_id or "-"]
        )
    emit_table(rows, ["number", "time", "who", "what", "by", "result", "artefact"])


async def _accesses(config: Path | None, job: str) -> list[Accessed]:
    async with opened_database(config) as (database, _):
        return await LedgerReading(database).accesses(job)


def _shown(each: Accessed) -> ShownAccess:
    return ShownAccess(
        **msgspec.structs.asdict(each.access),
        number=each.number,
        at=date(each.at),
        wall=date(each.wall),
    )
