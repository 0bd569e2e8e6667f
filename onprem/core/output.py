"""What a client gets: the output of a finished job, in the layout of the pyannoteAI contract."""

from typing import Annotated

import msgspec

from onprem.core.merge import TranscribedTurn, assign_speakers, join_turns
from onprem.core.requests import DiarizationRequest
from onprem.core.speech import Analysis, FrameScores, SpeakerScores, SpokenWord, Turn


class DiarizationOutput(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Fields appear only when the request asked for them."""

    diarization: list[Turn]
    confidence: FrameScores | None = None
    speech_probability: FrameScores | None = None
    crosstalk_probability: FrameScores | None = None
    speaker_probability: SpeakerScores | None = None
    exclusive_diarization: list[Turn] | None = None
    word_level_transcription: list[SpokenWord] | None = None
    turn_level_transcription: list[TranscribedTurn] | None = None
    warning: str | None = None


class FailedOutput(msgspec.Struct, frozen=True):
    """A failed job has an output that says why; official clients read it."""

    error: Annotated[str, msgspec.Meta(description="What happened and what to do next.")]


def diarization_output(
    request: DiarizationRequest, analysis: Analysis, warnings: list[str]
) -> DiarizationOutput:
    """Everything that `request` asked for, from what the engine found."""
    spoken = turns = None
    if analysis.words is not None:
        labelled = assign_speakers(analysis.words, analysis.exclusive)
        spoken = [msgspec.structs.replace(word, text=word.text.strip()) for word in labelled]
        turns = join_turns(labelled)
    crosstalk = analysis.crosstalk_probability if request.crosstalk_probability else None
    return DiarizationOutput(
        diarization=analysis.turns,
        confidence=analysis.confidence if request.confidence else None,
        speech_probability=analysis.speech_probability if request.speech_probability else None,
        crosstalk_probability=crosstalk,
        speaker_probability=analysis.speaker_probability if request.speaker_probability else None,
        exclusive_diarization=analysis.exclusive if request.exclusive else None,
        word_level_transcription=spoken,
        turn_level_transcription=turns,
        warning=" ".join([*analysis.warnings, *warnings]) or None,
    )
