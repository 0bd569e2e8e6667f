"""Printing: text for people, JSON for programs, always on the stream that was handed in."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import click
import msgspec
import typer


def emit_json(body: Any) -> None:
    """One JSON document, indented."""
    typer.echo(msgspec.json.format(msgspec.json.encode(body), indent=2).decode())


def emit_table(
    rows: list[list[str]], header: list[str], say: Callable[[str], None] = typer.echo
) -> None:
    """Columns as wide as their widest cell."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    for row in [header, *rows]:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        say(line.rstrip())


def date(moment: float | None) -> str | None:
    """ISO 8601 in UTC, to the second."""
    if moment is None:
        return None
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def note(text: str) -> None:
    """For the person who watches; never mixed into what a program reads."""
    click.echo(text, err=True)
