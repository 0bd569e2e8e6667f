"""Words: in order whatever Whisper says, in the right language, and only where there is speech."""

from pathlib import Path

import pytest
import torch
from hypothesis import given, strategies as st

from onprem.core.cancel import CancelToken
from onprem.core.speech import Turn, Word
from onprem.engine.transcription import Transcriber, Transcription, in_order
from onprem.errors import ModelFolderUnrecognised
from tests.support.pyannote_sample import sample_pcm

TIMES = st.floats(-1, 40, allow_nan=False)
SPEECH = [Turn("SPEAKER_00", 10.5, 14.7), Turn("SPEAKER_01", 14.3, 17.9)]


@given(st.lists(st.builds(Word, TIMES, TIMES, st.just(" word"))))
def test_times_never_run_backwards(words: list[Word]) -> None:
    ordered = in_order(words, duration=30.0)
    assert [word.text for word in ordered] == [word.text for word in words]
    times = [time for word in ordered for time in (word.start, word.end)]
    assert times == sorted(times)
    assert all(0 <= time <= 30 for time in times)


def test_words_in_order_stay_as_they_are() -> None:
    words = [Word(0.5, 0.9, " Good"), Word(0.9, 1.25, " morning.")]
    assert in_order(words, duration=2.0) == words


@pytest.fixture(scope="module")
def english(models_folder: Path) -> Transcriber:
    return Transcriber(models_folder / "whisper-tiny.en", torch.device("cpu"), threads=2)


@pytest.fixture(scope="module")
def multilingual(models_folder: Path) -> Transcriber:
    return Transcriber(models_folder / "whisper-base", torch.device("cpu"), threads=2)


def transcribe(model: Transcriber, language: str | None) -> Transcription:
    return model.transcribe(sample_pcm(), SPEECH, language, lambda fraction: None, CancelToken())


@pytest.mark.models
def test_words_lie_in_the_speech(english: Transcriber) -> None:
    words = transcribe(english, None).words
    assert words[0].start >= 10.3
    assert words[-1].end <= 18.1


@pytest.mark.models
def test_an_english_model_says_when_it_was_asked_for_another_language(english: Transcriber) -> None:
    assert transcribe(english, "en").warnings == []
    asked_for_french = transcribe(english, "fr")
    assert asked_for_french.language == "en"
    assert "English only" in asked_for_french.warnings[0]


@pytest.mark.models
def test_the_language_is_detected_or_taken(multilingual: Transcriber) -> None:
    detected = transcribe(multilingual, None)
    assert (detected.language, detected.warnings) == ("en", [])
    assert "New Jersey" in "".join(word.text for word in detected.words)
    assert transcribe(multilingual, "en").language == "en"


@pytest.mark.models
def test_an_unknown_language_falls_back_with_a_warning(multilingual: Transcriber) -> None:
    result = transcribe(multilingual, "xx")
    assert result.language == "en"
    assert "en was detected" in result.warnings[0]


@pytest.mark.models
def test_no_speech_no_words(english: Transcriber) -> None:
    result = english.transcribe(sample_pcm(), [], None, lambda fraction: None, CancelToken())
    assert result.words == []


def test_a_folder_without_a_model_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(ModelFolderUnrecognised, match="CTranslate2 cannot load it"):
        Transcriber(tmp_path, torch.device("cpu"), threads=1)
