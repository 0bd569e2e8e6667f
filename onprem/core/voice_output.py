"""What a client gets of jobs about voices: a print of one, or names for those who spoke."""

from typing import Annotated

import msgspec
from msgspec import Meta

from onprem.core.identification import SpeakerMatch
from onprem.core.output import diarization_output
from onprem.core.speech import Analysis, FrameScores, SpeakerScores, Turn
from onprem.core.voice_requests import IdentifyRequest


class VoiceprintOutput(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """The print is not kept here: whoever asked for it keeps it."""

    voiceprint: Annotated[str, Meta(description="Opaque; send it to POST /v1/identify.")]
    consent_ref: Annotated[str | None, Meta(description="As it was in the request.")] = None
    warning: str | None = None


class IdentifiedTurn(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A turn of the diarization; `match` is null where its speaker is a stranger."""

    speaker: Annotated[str, Meta(description="The match, or else the diarization's label.")]
    start: float
    end: float
    diarization_speaker: str
    match: str | None
    confidence: dict[str, int] | None = None
    channel: int | None = None


class IdentificationOutput(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """As a diarization's, with names."""

    diarization: list[Turn]
    identification: list[IdentifiedTurn]
    voiceprints: list[SpeakerMatch]
    confidence: FrameScores | None = None
    speech_probability: FrameScores | None = None
    crosstalk_probability: FrameScores | None = None
    speaker_probability: SpeakerScores | None = None
    exclusive_diarization: list[Turn] | None = None
    warning: str | None = None


def identification_output(
    request: IdentifyRequest,
    analysis: Analysis,
    matches: list[SpeakerMatch],
    warnings: list[str],
) -> IdentificationOutput:
    """Everything that `request` asked for; `matches` has one entry for each speaker."""
    names = {each.speaker: each.match for each in matches}
    found = diarization_output(request, analysis, warnings)
    return IdentificationOutput(
        diarization=found.diarization,
        identification=[_named(turn, names[turn.speaker]) for turn in found.diarization],
        voiceprints=matches,
        confidence=found.confidence,
        speech_probability=found.speech_probability,
        crosstalk_probability=found.crosstalk_probability,
        speaker_probability=found.speaker_probability,
        exclusive_diarization=found.exclusive_diarization,
        warning=found.warning,
    )


def _named(turn: Turn, match: str | None) -> IdentifiedTurn:
    return IdentifiedTurn(
        speaker=match or turn.speaker,
        start=turn.start,
        end=turn.end,
        diarization_speaker=turn.speaker,
        match=match,
        confidence=turn.confidence,
        channel=turn.channel,
    )
