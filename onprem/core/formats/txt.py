"""Plain text for people: who said what, and when it began."""

from collections.abc import Sequence

from onprem.core.speech import Turn
from onprem.core.transcript import Said


def txt(said: Sequence[Said]) -> str:
    """`[0:00:12] Anna: Good morning.`, a line for each transcribed turn."""
    return "".join(f"[{_time(turn.start)}] {turn.speaker}: {turn.text}\n" for turn in said)


def txt_of_turns(turns: Sequence[Turn]) -> str:
    """`[0:00:12 - 0:00:15] Anna`, where nothing was transcribed."""
    return "".join(f"[{_time(turn.start)} - {_time(turn.end)}] {turn.speaker}\n" for turn in turns)


def _time(seconds: float) -> str:
    whole = max(0, int(seconds))
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
