"""Finds the configuration and reads it: file, then environment. All faults are told at once."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from onprem.config.settings import SECTIONS, Section, Settings, decode_scalar
from onprem.core.fieldwise import convert_fields
from onprem.core.retention import MEDIA_CEILING, OUTPUT_CEILING
from onprem.errors import ConfigInvalid
from onprem.faults import Fault

CEILINGS = {"media": MEDIA_CEILING, "output": OUTPUT_CEILING}
"""Seconds. The promise that no configuration can lengthen."""

_ENVIRONMENT = "ONPREM_"
_NOT_OPTIONS = {"ONPREM_CONFIG"}


def find_config(given: Path | None, environment: Mapping[str, str]) -> Path | None:
    """--config, then ONPREM_CONFIG, then ./onprem.toml, then /etc/onprem/onprem.toml."""
    if given is not None:
        return given
    if named := environment.get("ONPREM_CONFIG"):
        return Path(named)
    for path in (Path("onprem.toml"), Path("/etc/onprem/onprem.toml")):
        if path.exists():
            return path
    return None


def load_settings(
    given: Path | None = None, environment: Mapping[str, str] = os.environ
) -> Settings:
    """The settings that hold for this process.

    Raises:
        ConfigInvalid: with every fault of the file and the environment.
    """
    path = find_config(given, environment)
    faults: list[Fault] = []
    return _settings(_read(path, faults) if path else {}, path, environment, faults)


def settings_without_file(path: Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings that hold as long as nothing is in the file at `path`. Raises ConfigInvalid."""
    return _settings({}, path, environment, [])


def _settings(
    table: dict[str, Any],
    path: Path | None,
    environment: Mapping[str, str],
    faults: list[Fault],
) -> Settings:
    _overlay(table, environment, faults)
    sections: dict[str, Section] = {}
    for name, kind in SECTIONS.items():
        raw = table.pop(name, {})
        if not isinstance(raw, dict):
            faults.append(Fault(name, "Expected a section"))
            continue
        found = convert_fields(kind, raw, prefix=f"{name}.", dec_hook=decode_scalar)
        faults += found.faults + _beyond_promises(name, found.sound)
        faults += [Fault(key, "There is no such option") for key in found.unknown]
        if found.value is not None:
            sections[name] = found.value
    faults += [Fault(name, "There is no such section") for name in table]
    if faults:
        raise ConfigInvalid(faults)
    settings = Settings(**sections, source=path.absolute() if path else None)  # type: ignore[arg-type]
    return _relative_to(settings)


def _read(path: Path, faults: list[Fault]) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except OSError as error:
        faults.append(Fault(str(path), f"Cannot be read: {error.strerror}"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        faults.append(Fault(str(path), f"Is not valid TOML: {error}"))
    return {}


def _overlay(table: dict[str, Any], environment: Mapping[str, str], faults: list[Fault]) -> None:
    """ONPREM_<SECTION>__<KEY> stands above the file; text is read as TOML where it is TOML."""
    for name, text in environment.items():
        if not name.startswith(_ENVIRONMENT) or name in _NOT_OPTIONS:
            continue
        section, found, key = name.removeprefix(_ENVIRONMENT).lower().partition("__")
        if not found:
            faults.append(Fault(name, "Expected ONPREM_<SECTION>__<KEY>"))
            continue
        target = table.setdefault(section, {})
        if isinstance(target, dict):
            target[key] = _value(text)


def _value(text: str) -> Any:
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
    return value if isinstance(value, bool | int | float | list | dict) else text


def _beyond_promises(section: str, options: Mapping[str, Any]) -> list[Fault]:
    if section != "retention":
        return []
    longer = [
        Fault(f"retention.{name}", f"May be shorter than {ceiling / 3600:.0f}h, never longer")
        for name, ceiling in CEILINGS.items()
        if options.get(name, 0.0) > ceiling
    ]
    # With 0, all but an output, which is delivered, would be gone before anybody could read it.
    none = [name for name, life in options.items() if life == 0 and name != "output"]
    return longer + [Fault(f"retention.{name}", "Must be longer than 0") for name in none]


def _relative_to(settings: Settings) -> Settings:
    """Relative paths in a file count from the file's own folder."""
    if settings.source is None:
        return settings
    base = settings.source.parent
    replaced: dict[str, Any] = {}
    for name in SECTIONS:
        section = getattr(settings, name)
        paths = {
            field: base / value
            for field in section.__struct_fields__
            if isinstance(value := getattr(section, field), Path)
        }
        replaced[name] = msgspec.structs.replace(section, **paths)
    return msgspec.structs.replace(settings, **replaced)
