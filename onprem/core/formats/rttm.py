"""RTTM: what diarization tools read and score."""

import math
from collections.abc import Sequence

import msgspec

from onprem.core.speech import Turn


def rttm(turns: Sequence[Turn], file_id: str) -> str:
    """A SPEAKER line for each turn, by start. Fields are separated by spaces."""
    return "".join(
        f"SPEAKER {file_id} {(turn.channel or 0) + 1} {turn.start:.3f}"
        f" {turn.end - turn.start:.3f} <NA> <NA> {_field(turn.speaker)} <NA> <NA>\n"
        for turn in _apart(turns)
    )


def _apart(turns: Sequence[Turn]) -> list[Turn]:
    """A speaker's turns that overlap, as after two speakers were merged, become one."""
    apart: list[Turn] = []
    last: dict[tuple[str, int | None], int] = {}
    for turn in sorted(turns, key=lambda turn: (turn.start, turn.end)):
        known = last.get((turn.speaker, turn.channel))
        if known is not None and turn.start < apart[known].end:
            end = max(turn.end, apart[known].end)
            apart[known] = msgspec.structs.replace(apart[known], end=end)
        else:
            last[turn.speaker, turn.channel] = len(apart)
            apart.append(turn)
    return apart


def _field(name: str) -> str:
    """Readers that take RTTM for a table of CSV would end it at a quotation mark."""
    return name.replace(" ", "_").replace('"', "'")


class RttmInvalid(ValueError):
    """Names the line, and quotes none of it."""


def turns_of(text: str) -> list[Turn]:
    """The turns of the one recording that a file is about; lines of other types are skipped.

    Raises RttmInvalid.
    """
    turns, recordings = list[Turn](), set[str]()
    for number, line in enumerate(text.splitlines(), 1):
        fields = line.split()
        if not fields or fields[0] != "SPEAKER":
            continue
        if len(fields) < _NAME + 1:
            raise RttmInvalid(f"Line {number} has {len(fields)} fields; a SPEAKER line has 10.")
        start, duration = _seconds(fields[3], number), _seconds(fields[4], number)
        recordings.add(fields[1])
        turns.append(Turn(fields[_NAME], start, start + duration))
    if not turns:
        raise RttmInvalid("It has no SPEAKER line.")
    if len(recordings) > 1:
        raise RttmInvalid(f"It is about {len(recordings)} recordings; leave only this one's lines.")
    return turns


_NAME = 7


def _seconds(field: str, number: int) -> float:
    try:
        value = float(field)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise RttmInvalid(f"Line {number}: its fourth and fifth field must be seconds.")
    return value
