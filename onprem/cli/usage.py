"""`onprem usage`: how much each project used."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from onprem.cli.context import opened_database
from onprem.cli.output import emit_json, emit_table
from onprem.config.quantities import ByteSize
from onprem.services.usage import GroupBy, JobUsage, Usage, Used


def usage(
    by: Annotated[
        GroupBy, typer.Option("--by", help="One row for all days, or for each of them (UTC).")
    ] = GroupBy.PROJECT,
    config: Annotated[Path | None, typer.Option("--config", help="The configuration file.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Count jobs, seconds of audio and bytes of media, for each project.

    Nothing of what was said is looked at. Jobs count for as long as retention.metadata keeps
    what remains of them.

    \b
    EXAMPLES
      onprem usage
      onprem usage --by day --json

    \b
    EXIT STATUS
      0; 3 faulty configuration; 4 no data directory.
    """
    used = asyncio.run(_used(config, by))
    if json:
        emit_json(used)
        return
    header = ["project", "kind", "status", "jobs", "audio seconds"]
    emit_table(
        [[*_day(each, by), *_cells(each)] for each in used.jobs],
        ["day", *header] if by is GroupBy.DAY else header,
    )
    typer.echo("")
    emit_table(
        [[each.project, str(each.files), str(ByteSize(each.bytes))] for each in used.media],
        ["project", "uploads", "size"],
    )


def _day(each: JobUsage, by: GroupBy) -> list[str]:
    return [each.day or ""] if by is GroupBy.DAY else []


def _cells(each: JobUsage) -> list[str]:
    return [each.project, each.kind, each.status, str(each.jobs), f"{each.audio_seconds:.0f}"]


async def _used(config: Path | None, by: GroupBy) -> Used:
    async with opened_database(config) as (database, clock):
        return await Usage(database, clock).table(by)
