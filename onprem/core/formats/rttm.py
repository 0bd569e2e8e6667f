"""RTTM: what diarization tools read and score."""

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
