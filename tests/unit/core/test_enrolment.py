"""One person's voice, and why a recording does not give it."""

import pytest

from onprem.core.enrolment import voice_of_one
from onprem.core.speech import Analysis, Turn
from onprem.errors import SeveralSpeakers, TooLittleSpeech

VOICE = [1.0, 0.0]
ALIKE = [0.8, 0.6]
OTHER = [0.0, 1.0]


def voice(turns: list[Turn], **voices: list[float]) -> list[float]:
    analysis = Analysis(turns=turns, exclusive=[], voices={"m": voices}, engine={})
    return voice_of_one(analysis, "m")


def test_the_voice_of_the_only_speaker() -> None:
    turns = [Turn("A", 0.0, 3.0), Turn("A", 4.0, 6.0)]
    assert voice(turns, A=VOICE) == VOICE


def test_another_person_is_told() -> None:
    turns = [Turn("A", 0.0, 8.0), Turn("B", 8.0, 10.0)]
    with pytest.raises(SeveralSpeakers):
        voice(turns, A=VOICE, B=OTHER)


def test_a_person_who_speaks_at_the_same_time_is_told_though_without_a_vector() -> None:
    turns = [Turn("A", 0.0, 8.0), Turn("B", 2.0, 5.0)]
    with pytest.raises(SeveralSpeakers):
        voice(turns, A=VOICE)


def test_a_cough_is_nobody() -> None:
    turns = [Turn("A", 0.0, 8.0), Turn("B", 8.0, 8.4)]
    assert voice(turns, A=VOICE, B=OTHER) == VOICE


def test_another_person_is_told_however_alike_they_are() -> None:
    turns = [Turn("A", 0.0, 8.0), Turn("B", 8.0, 10.0)]
    with pytest.raises(SeveralSpeakers):
        voice(turns, A=VOICE, B=ALIKE)


@pytest.mark.parametrize("seconds", [0.3, 1.4])
def test_too_little_speech_is_told(seconds: float) -> None:
    with pytest.raises(TooLittleSpeech, match=rf"Only {seconds} s of speech"):
        voice([Turn("A", 0.0, seconds)], A=VOICE)


def test_a_speaker_who_was_never_alone_has_no_voice() -> None:
    with pytest.raises(TooLittleSpeech):
        voice([Turn("A", 0.0, 5.0)])
