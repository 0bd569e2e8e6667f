"""Converts a mapping to a struct field by field, so that all its faults are named at once.

msgspec stops at the first fault; somebody who writes a request or a configuration wants the list.
"""

from collections.abc import Callable, Mapping
from types import UnionType
from typing import Annotated, Any, Generic, NamedTuple, TypeVar, Union, get_args, get_origin

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
    strict: bool = True,
) -> Conversion[S]:
    """Build an `into` from `raw`; a null counts as absent.

    `prefix` stands before each field's name in a fault (``server.`` for ``server.port``). Not
    `strict`: numbers and booleans may be text, as they are in a form.
    """
    fields = {field.encode_name: field for field in msgspec.structs.fields(into)}
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    unknown = [prefix + name for name in raw if name not in fields]
    for name, field in fields.items():
        given = raw.get(name)
        if isinstance(given, float) and given.is_integer():
            given = int(given)  # JSON has one kind of number, and some clients write 2 as 2.0
        if given is None:
            if field.required:
                faults.append(Fault(prefix + name, "Required"))
        elif isinstance(given, Mapping) and (struct := _struct_of(field.type)):
            inner = convert_fields(
                struct, given, prefix=f"{prefix}{name}.", dec_hook=dec_hook, strict=strict
            )
            faults += inner.faults
            unknown += inner.unknown
            if inner.value is not None:
                values[field.name] = inner.value
        else:
            try:
                values[field.name] = msgspec.convert(
                    given, field.type, dec_hook=dec_hook, strict=strict
                )
            except msgspec.ValidationError as error:
                faults.append(_fault(prefix + name, error))
    return Conversion(None if faults else into(**values), faults, unknown, values)


def _struct_of(kind: Any) -> type[msgspec.Struct] | None:
    """The struct that a field takes, also where it is described or may be absent."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind
    if get_origin(kind) not in (Annotated, Union, UnionType):
        return None
    found = [_struct_of(part) for part in get_args(kind)]
    return next((struct for struct in found if struct), None)


def _fault(name: str, error: msgspec.ValidationError) -> Fault:
    """msgspec writes "Expected `int` - at `$.inner`": the path belongs to the field's name."""
    text, _, path = str(error).partition(" - at `$")
    return Fault(name + path.rstrip("`"), text)
