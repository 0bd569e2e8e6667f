"""Which classes and functions a pickle would call, by reading its instructions, executing none."""

import pickletools
from collections.abc import Iterator
from typing import IO

_STRINGS = frozenset({"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE"})
_MEMO_WRITES = frozenset({"MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT"})

# They find or build objects in ways that a reader cannot name for certain; torch writes none.
_OPAQUE = frozenset({"INST", "OBJ", "EXT1", "EXT2", "EXT4", "NEWOBJ_EX", "PERSID"})

# torch writes pickles that Python 2 could read, with this module's name of that time.
_OLD_BUILTINS = "__builtin__"


def names_in_pickle(pickle: IO[bytes]) -> Iterator[str]:
    """Every global up to the pickle's end, as `module.name`, as soon as it is read.

    Raises ValueError where the bytes are not a pickle, after the names that stood before.
    """
    recent: list[str | None] = [None, None]
    for instruction, argument, _ in pickletools.genops(pickle):
        if instruction.name == "GLOBAL":
            yield _qualified(*str(argument).split(" ", 1))
        elif instruction.name == "STACK_GLOBAL":
            yield _from_stack(recent)
        elif instruction.name in _OPAQUE:
            yield f"something found by {instruction.name}"
        if instruction.name in _MEMO_WRITES:
            continue
        recent = [recent[1], str(argument) if instruction.name in _STRINGS else None]


def _from_stack(recent: list[str | None]) -> str:
    module, name = recent
    if module is None or name is None:
        return "something found by STACK_GLOBAL"
    return _qualified(module, name)


def _qualified(module: str, name: str) -> str:
    return f"{'builtins' if module == _OLD_BUILTINS else module}.{name}"
