"""Converts a mapping to a struct field by field, so that all its faults are named at once.

msgspec stops at the first fault; somebody who writes a request or a configuration wants the list.
"""

from collections.abc import Callable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from onprem.faults import Fault

S = TypeVar("S", bound=msgspec.Struct)


class Conversion(NamedTuple, Generic[S]):
    """`value` is None exactly when there are `faults`; `unknown` are extra fields, by
    their whole name.

    `sound` are the fields that converted, by attribute name: they can be checked further even
    where others have faults.
    """

    value: S | None
    faults: list[Fault]
    unknown: list[str]
    sound: dict[str, Any]


def convert_fields(
    into: type[S],
    raw: Mapping[str, Any],
    *,
    prefix: str = "",
    dec_hook: Callable[[type, Any], Any] | None = None,
) -> Conversion[S]:
    """Build an `into` from `raw`; a null counts as absent.

    `prefix` stands before each field's name in a fault (``server.`` for ``server.port``).
    """
    fields = {field.encode_name: field for field in msgspec.structs.fields(into)}
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    unknown = [prefix + name for name in raw if name not in fields]
    for name, field in fields.items():
        given = raw.get(name)
        if given is None:
            if field.required:
                faults.append(Fault(prefix + name, "Required"))
        elif _is_struct(field.type) and isinstance(given, Mapping):
            inner = convert_fields(field.type, given, prefix=f"{prefix}{name}.", dec_hook=dec_hook)
            faults += inner.faults
            unknown += inner.unknown
            if inner.value is not None:
                values[field.name] = inner.value
        else:
            try:
                values[field.name] = msgspec.convert(given, field.type, dec_hook=dec_hook)
            except msgspec.ValidationError as error:
                faults.append(_fault(prefix + name, error))
    return Conversion(None if faults else into(**values), faults, unknown, values)


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _fault(name: str, error: msgspec.ValidationError) -> Fault:
    """msgspec writes "Expected `int` - at `$.inner`": the path belongs to the field's name."""
    text, _, path = str(error).partition(" - at `$")
    return Fault(name + path.rstrip("`"), text)
