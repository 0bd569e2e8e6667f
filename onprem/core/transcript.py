"""What the stored output of any job says, as formats show it.

Speakers have the names that were identified, where there are some; names are single lines.
"""

import msgspec

from onprem.core.merge import TranscribedTurn
from onprem.core.speech import SpokenWord, Turn
from onprem.core.timed_text import Piece, clean, timed, words_by_turn


class Said(msgspec.Struct, frozen=True):
    """One transcribed turn. `pieces` are its words with their times; times in seconds."""

    speaker: str
    start: float
    end: float
    pieces: list[Piece]

    @property
    def text(self) -> str:
        return "".join(" " * piece.spaced + piece.text for piece in self.pieces).strip()


class _Named(msgspec.Struct, frozen=True, rename="camel"):
    speaker: str
    start: float
    end: float
    diarization_speaker: str
    channel: int | None = None


class _Stored(msgspec.Struct, frozen=True, rename="camel"):
    """The fields of all kinds of outputs that formats read."""

    diarization: list[Turn] | None = None
    identification: list[_Named] | None = None
    word_level_transcription: list[SpokenWord] = []
    turn_level_transcription: list[TranscribedTurn] | None = None


def turns_in(output: bytes) -> list[Turn] | None:
    """Who spoke when; None: the output holds no diarization."""
    stored = msgspec.json.decode(output, type=_Stored)
    turns = stored.diarization
    if stored.identification is not None:
        turns = [
            Turn(named.speaker, named.start, named.end, channel=named.channel)
            for named in stored.identification
        ]
    if turns is None:
        return None
    return [msgspec.structs.replace(turn, speaker=_name(turn.speaker)) for turn in turns]


def said_in(output: bytes) -> list[Said] | None:
    """Who said what; None: nothing was transcribed."""
    stored = msgspec.json.decode(output, type=_Stored)
    turns, words = stored.turn_level_transcription, stored.word_level_transcription
    if turns is None:
        return None
    named = stored.identification or []
    names = {each.diarization_speaker: each.speaker for each in named}
    return [
        Said(
            _name(names.get(turn.speaker, turn.speaker)),
            turn.start,
            turn.end,
            timed(turn, [words[position] for position in mine]),
        )
        for turn, mine in zip(turns, words_by_turn(turns, words), strict=True)
    ]


def _name(name: str) -> str:
    """A voiceprint's label may be anything; a name has at least one sign that can be seen."""
    return clean(name) or "?"
