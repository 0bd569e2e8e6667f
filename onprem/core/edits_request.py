"""The body of `PUT /v1/jobs/{id}/edits`: read against the output that it corrects."""

from collections.abc import Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from onprem.core.edits import Edits, Name, TextEdit, TurnEdit
from onprem.core.fieldwise import Conversion, convert_fields
from onprem.faults import Fault

SAME_TIME_SECONDS = 0.001
"""A start that was written and read back is the same start."""

E = TypeVar("E", bound=TurnEdit)


class EditsRequest(msgspec.Struct, frozen=True, rename="camel"):
    """Not yet looked at in depth, so that every fault in it can be named."""

    speakers: dict[str, Any] = {}
    diarization: list[dict[str, Any]] = []
    turn_level_transcription: list[dict[str, Any]] = []


class _Turn(msgspec.Struct, frozen=True):
    speaker: str
    start: float


class _Original(msgspec.Struct, frozen=True, rename="camel"):
    diarization: list[_Turn] = []
    turn_level_transcription: list[_Turn] = []


def fitting(request: Conversion[EditsRequest], output: bytes) -> Conversion[Edits]:
    """The edits, or each fault that keeps them from fitting this output."""
    asked = EditsRequest(**request.sound)
    original = msgspec.json.decode(output, type=_Original)
    turns = _fitting_turns(TurnEdit, "diarization", asked.diarization, original.diarization)
    texts = _fitting_turns(
        TextEdit,
        "turnLevelTranscription",
        asked.turn_level_transcription,
        original.turn_level_transcription,
    )
    labels = {turn.speaker for turn in original.diarization}
    labels |= {edit.speaker for edit in [*turns.edits, *texts.edits] if edit.speaker}
    faults = [*request.faults, *_misnamed(asked.speakers, labels), *turns.faults, *texts.faults]
    unknown = [*request.unknown, *turns.unknown, *texts.unknown]
    edits = None if faults else Edits(asked.speakers, turns.edits, texts.edits)
    return Conversion(edits, faults, unknown, {})


class _Fitting(NamedTuple, Generic[E]):
    edits: list[E]
    faults: list[Fault]
    unknown: list[str]


def _fitting_turns(
    kind: type[E], name: str, raw: Sequence[Mapping[str, Any]], turns: Sequence[_Turn]
) -> _Fitting[E]:
    found = _Fitting[E]([], [], [])
    seen = set[int]()
    for at, given in enumerate(raw):
        prefix = f"{name}[{at}]."
        edit = convert_fields(kind, given, prefix=prefix)
        found.unknown.extend(edit.unknown)
        if edit.value is None:
            found.faults.extend(edit.faults)
        elif fault := _misplaced(edit.value, prefix, turns, seen):
            found.faults.append(fault)
        else:
            found.edits.append(edit.value)
    return found


def _misplaced(edit: TurnEdit, prefix: str, turns: Sequence[_Turn], seen: set[int]) -> Fault | None:
    """The start says that the turn is the one which the client had before its eyes."""
    if edit.index >= len(turns):
        return Fault(prefix + "index", f"The output has {len(turns)} such turns, from 0 on")
    if edit.index in seen:
        return Fault(prefix + "index", "Another edit has the same index")
    seen.add(edit.index)
    start = turns[edit.index].start
    if abs(edit.start - start) > SAME_TIME_SECONDS:
        return Fault(prefix + "start", f"The turn at this index starts at {start}")
    return None


def _misnamed(speakers: Mapping[str, Any], labels: set[str]) -> list[Fault]:
    faults = []
    for label, name in speakers.items():
        if label not in labels:
            faults.append(Fault(f"speakers.{label}", "The output has no such speaker"))
        try:
            msgspec.convert(name, Name)
        except msgspec.ValidationError as error:
            faults.append(Fault(f"speakers.{label}", str(error)))
    return faults
