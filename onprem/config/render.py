"""The option table, written out: the example file, the reference page, and the current values."""

import hashlib
import textwrap
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from onprem.config.quantities import ByteSize, Duration
from onprem.config.settings import SECTIONS, Settings
from onprem.core.chain import canonical


class Option(NamedTuple):
    """One row of the option table."""

    section: str
    name: str
    default: Any
    help: str


def options() -> Iterator[Option]:
    """Every option, in the order of the table."""
    for section, kind in SECTIONS.items():
        hints = typing.get_type_hints(kind, include_extras=True)
        for field in msgspec.structs.fields(kind):
            meta = hints[field.name].__metadata__[0]
            default = (
                field.default_factory() if field.default is msgspec.NODEFAULT else field.default
            )
            yield Option(section, field.name, default, meta.description)


def toml_value(value: Any) -> str:
    """A TOML literal."""
    if isinstance(value, Duration | ByteSize | Path | str):
        return msgspec.json.encode(str(value)).decode()
    if isinstance(value, dict):
        inner = ", ".join(f"{toml_value(key)} = {toml_value(item)}" for key, item in value.items())
        return f"{{{inner}}}"
    return msgspec.json.encode(value).decode()


def example() -> str:
    """`config.example.toml`: every option commented out with its default."""
    lines = [
        "# onprem's configuration. Every option stands here, commented out, with its default.",
        "#",
        "# Looked for in: --config, $ONPREM_CONFIG, ./onprem.toml, /etc/onprem/onprem.toml.",
        "# The environment stands above the file: ONPREM_<SECTION>__<KEY>, as in",
        "# ONPREM_SERVER__PORT=8500. Relative paths count from this file's folder.",
        "# `onprem config check` names every fault; an unknown option is a fault.",
    ]
    section = None
    for option in options():
        if option.section != section:
            section = option.section
            doc = " ".join((SECTIONS[section].__doc__ or "").split())
            lines += ["", "", f"[{section}]", *_comment(doc)]
        lines += ["", *_comment(option.help)]
        shown = "" if option.default is None else f" {toml_value(option.default)}"
        lines.append(f"#{option.name} ={shown}")
    return "\n".join(lines) + "\n"


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, 96, initial_indent="# ", subsequent_indent="# ")


def reference() -> str:
    """The table of `docs/configuration.md`, as Markdown."""
    lines: list[str] = []
    section = None
    for option in options():
        if option.section != section:
            section = option.section
            doc = " ".join((SECTIONS[section].__doc__ or "").split())
            lines += ["", f"## [{section}]", "", doc, "", "| option | default | |", "|---|---|---|"]
        default = "" if option.default is None else f"`{toml_value(option.default)}`"
        lines.append(f"| `{option.section}.{option.name}` | {default} | {option.help} |")
    return "\n".join(lines).lstrip() + "\n"


def shown(settings: Settings) -> dict[str, dict[str, Any]]:
    """The values that hold, as plain data. No option holds a secret: files are named instead.

    But who knows a URL may be able to write there: only its host is shown.
    """
    values = _values(settings)
    if settings.retention.checkpoint_webhook is not None:
        url = urlsplit(settings.retention.checkpoint_webhook)
        values["retention"]["checkpoint_webhook"] = f"{url.scheme}://{url.hostname}/…"
    return values


def _values(settings: Settings) -> dict[str, dict[str, Any]]:
    return {
        section: {
            name: _plain(getattr(getattr(settings, section), name))
            for name in kind.__struct_fields__
        }
        for section, kind in SECTIONS.items()
    }


def digest(settings: Settings) -> str:
    """SHA-256 of the values that hold, in hexadecimal: it changes with any of them."""
    return hashlib.sha256(canonical(_values(settings))).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, Duration | ByteSize | Path) else value
