"""Writes the parts of the documentation that the code knows best.

    .venv/bin/python scripts/docs.py            write them
    .venv/bin/python scripts/docs.py --check    name the files that are stale; exit status 1 if any

A part stands between `<!-- generated:NAME -->` and `<!-- /generated -->`; what stands outside is
written by hand and left alone. `config.example.toml` is generated as a whole.
"""

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import click
import msgspec
import typer

from onprem import errors
from onprem.cli.exit_codes import EXIT_CODES, FAILED, OK, USAGE
from onprem.cli.main import app
from onprem.config.render import example, reference
from onprem.core import inventory
from onprem.core.consent import Consent
from onprem.core.openai.parameters import TRANSCRIPTIONS, TRANSLATIONS, Parameter
from onprem.core.requests import Deliver, DiarizeRequest, TranscriptionConfig
from onprem.core.voice_requests import IdentifyRequest, Matching, VoiceprintRequest
from onprem.engine.offline import SWITCHES
from onprem.errors import JobFailure, OnpremError
from onprem.http.errors import STATUS
from onprem.http.openapi.schemas import schemas
from onprem.services import metric_table
from onprem.services.doctor.catalogue import KINDS
from onprem.services.evidence.facts import documented
from scripts.api_reference import api_reference, field_table

ROOT = Path(__file__).resolve().parent.parent
HELP_WIDTH = 90

_PART = re.compile(r"<!-- generated:([a-z-]+) -->\n.*?<!-- /generated -->", re.DOTALL)
_FACT = re.compile(r"\{(\w+)(?::[^}]*)?\}")


def error_classes() -> list[type[OnpremError]]:
    """Every error that has a code of its own, in the order of the source."""
    found = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, OnpremError) and "code" in vars(kind)
    ]
    assert len({kind.code for kind in found}) == len(found), "two errors share a code"
    return found


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, with its full name."""
    yield from _below("onprem", typer.main.get_command(app))


def _below(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    inner = getattr(command, "commands", None)
    if inner is None or getattr(command, "invoke_without_command", False):
        yield name, command
    if inner is None:
        return
    for word, each in inner.items():
        yield from _below(f"{name} {word}", each)


def _cell(text: str) -> str:
    """A template's facts are shown as NAME; a bar would end the cell."""
    return _FACT.sub(lambda fact: fact[1].upper(), text).replace("|", "\\|")


def _row(kind: type[OnpremError], *first: str) -> str:
    cells = [*first, f"`{kind.code}`", _cell(kind.message), _cell(kind.remedy)]
    return f"| {' | '.join(cells)} |"


def http_errors() -> str:
    """Codes of the error bodies, by status."""
    lines = ["| status | `code` | what happened | what to do |", "|---|---|---|---|"]
    statuses = {**STATUS, OnpremError: 500}
    for kind, status in sorted(statuses.items(), key=lambda item: item[1]):
        lines.append(_row(kind, str(status)))
    return "\n".join(lines)


def job_errors() -> str:
    """What `output.error` of a failed job says."""
    lines = ["| code | `output.error` | |", "|---|---|---|"]
    lines += [_row(kind) for kind in error_classes() if issubclass(kind, JobFailure)]
    return "\n".join(lines)


def command_errors() -> str:
    """What a command can end with, besides what a request can."""
    lines = ["| exit status | code | what happened | what to do |", "|---|---|---|---|"]
    for kind in error_classes():
        status = next((EXIT_CODES[base] for base in kind.__mro__ if base in EXIT_CODES), FAILED)
        if not issubclass(kind, JobFailure) and kind not in STATUS:
            lines.append(_row(kind, str(status)))
    return "\n".join(lines)


def findings() -> str:
    """What `onprem doctor` can find."""
    lines = ["| code | severity | what it is | what to do |", "|---|---|---|---|"]
    for kind in KINDS:
        cells = [f"`{kind.code}`", str(kind.severity), _cell(kind.what), _cell(kind.remedy)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def places() -> str:
    """The data inventory, as far as the server reaches."""
    lines = ["| what | where | form | until | how it goes |", "|---|---|---|---|---|"]
    for place in inventory.told(documented()):
        cells = [getattr(place, name) for name in inventory.TEXTS]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def places_beyond() -> str:
    lines = ["| where | what may be there | what to do |", "|---|---|---|"]
    lines += [f"| {place.where} | {place.what} | {place.do} |" for place in inventory.BEYOND]
    return "\n".join(lines)


def exit_codes() -> str:
    meanings = {
        OK: "it did what was asked",
        FAILED: "it failed inside, or was stopped with Ctrl-C",
        USAGE: "the command line is wrong",
    }
    for kind, status in EXIT_CODES.items():
        codes = [each.code for each in error_classes() if issubclass(each, kind)]
        meanings[status] = ", ".join(f"`{code}`" for code in codes)
    lines = ["| exit status | meaning |", "|---|---|"]
    return "\n".join([*lines, *(f"| {status} | {text} |" for status, text in meanings.items())])


def command_help() -> str:
    parts = []
    for name, command in commands():
        context = click.Context(
            command, info_name=name, terminal_width=HELP_WIDTH, max_content_width=HELP_WIDTH
        )
        parts.append(f"### `{name}`\n\n```text\n{command.get_help(context).rstrip()}\n```")
    return "\n\n".join(parts)


def switches() -> str:
    lines = ["| variable | value |", "|---|---|"]
    return "\n".join([*lines, *(f"| `{name}` | `{value}` |" for name, value in SWITCHES.items())])


def fields(kind: type[msgspec.Struct]) -> str:
    """The fields of a request body."""
    _, components = schemas([kind])
    return field_table(components[kind.__name__])


def metrics() -> str:
    """The table of metrics, in its order."""
    lines = ["| metric | type | labels | |", "|---|---|---|---|"]
    for each in metric_table.EVERY:
        labels = ", ".join(f"`{label}`" for label in each.labels)
        lines.append(f"| `{each.full_name}` | {each.type} | {labels} | {each.help} |")
    return "\n".join(lines)


def parameters(table: tuple[Parameter, ...]) -> str:
    """What becomes of each parameter of the OpenAI audio API."""
    lines = ["| parameter | | |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| `{p.name}` | {p.support} | {p.note} |" for p in table)])


PARTS: Mapping[str, Callable[[], str]] = {
    "options": lambda: reference().strip(),
    "http-errors": http_errors,
    "job-errors": job_errors,
    "command-errors": command_errors,
    "exit-codes": exit_codes,
    "findings": findings,
    "commands": command_help,
    "inventory": places,
    "inventory-beyond": places_beyond,
    "switches": switches,
    "diarize-fields": lambda: fields(DiarizeRequest),
    "transcription-fields": lambda: fields(TranscriptionConfig),
    "reference": api_reference,
    "voiceprint-fields": lambda: fields(VoiceprintRequest),
    "identify-fields": lambda: fields(IdentifyRequest),
    "matching-fields": lambda: fields(Matching),
    "transcription-parameters": lambda: parameters(TRANSCRIPTIONS),
    "translation-parameters": lambda: parameters(TRANSLATIONS),
    "metrics": metrics,
    "deliver-fields": lambda: fields(Deliver),
    "consent-fields": lambda: fields(Consent),
}


def filled(text: str) -> str:
    """The page with each generated part as the code has it now."""

    def part(found: re.Match[str]) -> str:
        return f"<!-- generated:{found[1]} -->\n\n{PARTS[found[1]]()}\n\n<!-- /generated -->"

    return _PART.sub(part, text)


def pages() -> Iterator[tuple[Path, str]]:
    """Each file with a generated part, and what it must hold."""
    yield ROOT / "config.example.toml", example()
    for path in sorted((ROOT / "docs").rglob("*.md")):
        text = path.read_text()
        if _PART.search(text):
            yield path, filled(text)


def main(argv: list[str]) -> int:
    stale = [
        (path, text) for path, text in pages() if not path.exists() or path.read_text() != text
    ]
    names = [str(path.relative_to(ROOT)) for path, _ in stale]
    if argv == ["--check"]:
        for name in names:
            print(f"{name} is stale: run .venv/bin/python scripts/docs.py", file=sys.stderr)
        return int(bool(stale))
    if argv:
        print(__doc__, file=sys.stderr)
        return 2
    for path, text in stale:
        path.write_text(text)
    print("written: " + (", ".join(names) or "nothing, all was fresh"))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
