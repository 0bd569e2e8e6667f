"""Other speakers in an output that is stored, wherever their labels stand."""

from bisect import bisect_right
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

import msgspec

T = TypeVar("T")

Fields = dict[str, msgspec.Raw]
"""An output; what nobody changes stays as it is, byte for byte."""

_LISTS = (
    "diarization",
    "exclusiveDiarization",
    "identification",
    "wordLevelTranscription",
    "turnLevelTranscription",
    "voiceprints",
)
_TURNS = list[dict[str, Any]]


def read(fields: Fields, name: str, kind: type[T]) -> T:
    return msgspec.json.decode(fields[name], type=kind)


def write(fields: Fields, name: str, value: object) -> None:
    fields[name] = msgspec.Raw(msgspec.json.encode(value))


def reassign(fields: Fields, speakers: Mapping[int, str]) -> None:
    """Give turns of the diarization, by index, to other speakers.

    What was made from such a turn goes with it: parts of it in the exclusive diarization, and
    its identification.
    """
    if not speakers:
        return
    turns = read(fields, "diarization", _TURNS)
    moved: dict[str, list[_Moved]] = {}
    for index, speaker in speakers.items():
        turn = turns[index]
        moved.setdefault(turn["speaker"], []).append(_Moved(turn["start"], turn["end"], speaker))
        turn["speaker"] = speaker
    write(fields, "diarization", turns)
    for name in ("exclusiveDiarization", "identification"):
        if name in fields:
            parts = read(fields, name, _TURNS)
            _move(parts, moved)
            write(fields, name, parts)


class _Moved(NamedTuple):
    start: float
    end: float
    speaker: str


def _move(parts: list[dict[str, Any]], moved: Mapping[str, list[_Moved]]) -> None:
    known = {_label(part): (part["speaker"], part.get("match")) for part in parts}
    for turns in moved.values():
        turns.sort()
    for part in parts:
        turn = _holding((part["start"] + part["end"]) / 2, moved.get(_label(part), []))
        if turn is None:
            continue
        if "diarizationSpeaker" in part:
            part["diarizationSpeaker"] = turn.speaker
            part["speaker"], part["match"] = known.get(turn.speaker, (turn.speaker, None))
        else:
            part["speaker"] = turn.speaker


def _holding(moment: float, turns: list[_Moved]) -> _Moved | None:
    """Turns of one speaker do not overlap."""
    at = bisect_right(turns, moment, key=lambda turn: turn.start) - 1
    return turns[at] if at >= 0 and moment <= turns[at].end else None


def rename(fields: Fields, names: Mapping[str, str]) -> None:
    """Give labels other names, all at once: two labels may swap theirs, or share one."""
    if not names:
        return
    for name in _LISTS:
        if name in fields:
            turns = read(fields, name, _TURNS)
            for turn in turns:
                _rename_turn(turn, names)
                if name != "voiceprints" and "confidence" in turn:
                    turn["confidence"] = _renamed(turn["confidence"], names, max)
            write(fields, name, turns)
    if "speakerProbability" in fields:
        scores = read(fields, "speakerProbability", dict[str, Any])
        scores["score"] = _renamed(scores["score"], names, _highest)
        write(fields, "speakerProbability", scores)


def _rename_turn(turn: dict[str, Any], names: Mapping[str, str]) -> None:
    name = names.get(_label(turn))
    if name is not None:
        turn["speaker"] = name
        if "diarizationSpeaker" in turn:
            turn["diarizationSpeaker"] = name


def _label(turn: Mapping[str, Any]) -> Any:
    """As the diarization labelled the speaker, who may have been identified since."""
    return turn.get("diarizationSpeaker", turn["speaker"])


def _renamed(
    scores: Mapping[str, T], names: Mapping[str, str], joined: Callable[[T, T], T]
) -> dict[str, T]:
    renamed: dict[str, T] = {}
    for label, score in scores.items():
        name = names.get(label, label)
        renamed[name] = joined(renamed[name], score) if name in renamed else score
    return renamed


def _highest(some: list[int], others: list[int]) -> list[int]:
    return list(map(max, some, others))
