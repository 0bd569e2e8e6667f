"""The voice of a recording in which one person speaks, and the reasons not to take it."""

from onprem.core.bounds import Bounds
from onprem.core.identification import Calibration, same_voice
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


def voice_of_one(analysis: Analysis, model: str, calibration: Calibration) -> list[float]:
    """The vector, of `model`, of the one person who speaks.

    Raises:
        SeveralSpeakers: another person speaks as well, for long enough to be told apart.
        TooLittleSpeech: there is not enough speech of that person to know the voice again.
    """
    voices = analysis.voices.get(model, {})
    seconds = _seconds(analysis)
    main = max(seconds, key=seconds.__getitem__)
    spoken = 0.0
    for speaker, length in seconds.items():
        # The diarization may take one voice for two: they are one person's all the same.
        if speaker == main or _alike(voices.get(speaker), voices.get(main), calibration):
            spoken += length
        elif length >= LEAST_OTHER_SECONDS:
            raise SeveralSpeakers()
    if main not in voices or spoken < LEAST_SPEECH_SECONDS:
        raise TooLittleSpeech(seconds=spoken, least=LEAST_SPEECH_SECONDS)
    return voices[main]


def _alike(one: list[float] | None, other: list[float] | None, calibration: Calibration) -> bool:
    return one is not None and other is not None and same_voice(one, other, calibration)


def _seconds(analysis: Analysis) -> dict[str, float]:
    """How long each speaker speaks, also at the same time as others."""
    seconds: dict[str, float] = {}
    for turn in analysis.turns:
        seconds[turn.speaker] = seconds.get(turn.speaker, 0.0) + turn.end - turn.start
    return seconds
