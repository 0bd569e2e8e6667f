"""What a job of this API finds, as it is stored until the answer has been sent."""

import msgspec

from onprem.core.merge import TranscribedTurn, assign_speakers, join_turns
from onprem.core.speech import Analysis, Segment, SpokenWord


class SpeechOutput(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """`language` in ISO 639-1. `text` is all words; the turns are theirs.

    `names`: of the speakers whose voice was known.
    """

    text: str
    word_level_transcription: list[SpokenWord]
    turn_level_transcription: list[TranscribedTurn]
    names: dict[str, str] = {}
    segments: list[Segment] = []
    language: str | None = None
    warning: str | None = None


NOTHING_SAID = SpeechOutput("", [], [])


def speech_output(analysis: Analysis, names: dict[str, str], remarks: list[str]) -> SpeechOutput:
    words = analysis.words or []
    labelled = assign_speakers(words, analysis.exclusive)
    return SpeechOutput(
        text="".join(word.text for word in words).strip(),
        word_level_transcription=[
            msgspec.structs.replace(word, text=word.text.strip()) for word in labelled
        ],
        turn_level_transcription=join_turns(labelled),
        names=names,
        segments=analysis.segments or [],
        language=analysis.language,
        warning=" ".join([*analysis.warnings, *remarks]) or None,
    )
