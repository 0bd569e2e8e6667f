"""The voice of a recording in which one person speaks, and the reasons not to take it."""

from onprem.core.bounds import Bounds
from onprem.core.speech import Analysis
from onprem.errors import (
    SeveralSpeakers,
    TooLittleSpeech,
    VoiceprintTooLarge,
    VoiceprintTooLong,
)

_ENCODER_PADDING_SECONDS = 0.2
"""By so much a lossy format makes 30 s longer, at most: two frames of 8 kHz mp3."""

BOUNDS = Bounds(
    bytes=100 * 1024 * 1024,
    seconds=30.0 + _ENCODER_PADDING_SECONDS,
    too_large=VoiceprintTooLarge,
    too_long=VoiceprintTooLong,
)
"""Of the recording that a voiceprint is made of."""

LEAST_SPEECH_SECONDS = 2.0
LEAST_OTHER_SECONDS = 1.0
"""Speech of another voice that is no more than a cough, a noise or a word in the background."""


def voice_of_one(analysis: Analysis, model: str) -> list[float]:
    """The vector, of `model`, of the one person who speaks.

    Raises:
        SeveralSpeakers: another person speaks as well.
        TooLittleSpeech: there is not enough speech of that person to know the voice again.
    """
    seconds = _seconds(analysis)
    main = max(seconds, key=seconds.__getitem__)
    # However alike they are: in one room, two people are as alike as one in two recordings.
    if any(seconds[other] >= LEAST_OTHER_SECONDS for other in seconds.keys() - {main}):
        raise SeveralSpeakers()
    vector = analysis.voices.get(model, {}).get(main)
    if vector is None or seconds[main] < LEAST_SPEECH_SECONDS:
        raise TooLittleSpeech(seconds=seconds[main], least=LEAST_SPEECH_SECONDS)
    return vector


def _seconds(analysis: Analysis) -> dict[str, float]:
    """How long each speaker speaks, also at the same time as others."""
    seconds: dict[str, float] = {}
    for turn in analysis.turns:
        seconds[turn.speaker] = seconds.get(turn.speaker, 0.0) + turn.end - turn.start
    return seconds
