"""Corrections of an output by its owner: names, merged speakers, other speakers, other texts.

The output stays as it was; edits are laid over it whenever it is read.
"""

from bisect import bisect_left
from typing import Annotated

import msgspec
from msgspec import Meta

from onprem.core.merge import TranscribedTurn
from onprem.core.relabel import Fields, read, reassign, rename, write
from onprem.core.speech import SpokenWord
from onprem.core.timed_text import retimed, words_by_turn

_SIGN = r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]"
Name = Annotated[str, Meta(min_length=1, max_length=100, pattern=rf"^{_SIGN}*(?!\s){_SIGN}+\Z")]
"""Has a sign that can be seen, and none that cannot."""


class TurnEdit(msgspec.Struct, frozen=True, omit_defaults=True):
    """Corrects the turn at `index` of the original list, which starts at `start` seconds."""

    index: Annotated[int, Meta(ge=0, description="Its place in the original list, from 0 on.")]
    start: Annotated[float, Meta(description="Its start, which shows that it is the one meant.")]
    speaker: Annotated[
        Name | None, Meta(description="Who spoke: a label of the output, or a new one.")
    ] = None


class TextEdit(TurnEdit, frozen=True, omit_defaults=True):
    """Also what was said; an empty text takes the turn's words away."""

    text: Annotated[
        Annotated[str, Meta(max_length=100_000)] | None, Meta(description="What was said.")
    ] = None


class Edits(msgspec.Struct, frozen=True, rename="camel"):
    """`speakers` maps labels of the output to names; labels with one name are one speaker.

    The lists are named as those of the output that they correct. Each is corrected alone.
    """

    speakers: Annotated[
        dict[str, Name], Meta(description="Names of speakers, by label; one name merges labels.")
    ] = {}
    diarization: Annotated[list[TurnEdit], Meta(description="Turns that somebody else spoke.")] = []
    turn_level_transcription: Annotated[
        list[TextEdit], Meta(description="Turns whose text or speaker is another.")
    ] = []


def apply(output: bytes, edits: Edits) -> bytes:
    """The output with edits that fit it (`edits_request` has seen to that).

    Turns stay where they are, so that an index means the same turn before and after.
    """
    if edits == Edits():
        return output
    fields = msgspec.json.decode(output, type=Fields)
    reassign(fields, {edit.index: edit.speaker for edit in edits.diarization if edit.speaker})
    _correct_texts(fields, {edit.index: edit for edit in edits.turn_level_transcription})
    rename(fields, edits.speakers)
    return msgspec.json.encode(fields)


def _correct_texts(fields: Fields, edits: dict[int, TextEdit]) -> None:
    """Words change with their turn."""
    if not edits:
        return
    turns = read(fields, "turnLevelTranscription", list[TranscribedTurn])
    words = read(fields, "wordLevelTranscription", list[SpokenWord])
    come: dict[int, list[SpokenWord]] = {}
    gone = set[int]()
    for index, mine in enumerate(words_by_turn(turns, words)):
        if index in edits:
            turn, spoken = _corrected(
                turns[index], [words[position] for position in mine], edits[index]
            )
            turns[index] = turn
            first = mine[0] if mine else bisect_left(words, turn.start, key=lambda word: word.start)
            come.setdefault(first, []).extend(spoken)
            gone.update(mine)
    write(fields, "turnLevelTranscription", turns)
    kept = [
        [*come.get(position, []), *words[position : position + (position not in gone)]]
        for position in range(len(words) + 1)
    ]
    write(fields, "wordLevelTranscription", [word for some in kept for word in some])


def _corrected(
    turn: TranscribedTurn, words: list[SpokenWord], edit: TextEdit
) -> tuple[TranscribedTurn, list[SpokenWord]]:
    speaker = edit.speaker or turn.speaker
    turn = msgspec.structs.replace(turn, speaker=speaker)
    if edit.text is not None:
        turn = msgspec.structs.replace(turn, text=edit.text.strip())
        return turn, retimed(words, turn)
    return turn, [msgspec.structs.replace(word, speaker=speaker) for word in words]
