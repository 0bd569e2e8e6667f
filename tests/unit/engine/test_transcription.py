"""Words: in order whatever Whisper says, in the right language, and only where there is speech."""

import io
from pathlib import Path
from typing import Any

import av
import pytest
import torch
from hypothesis import given, strategies as st

from onprem.core.cancel import CancelToken
from onprem.core.speech import Task, Turn, Word
from onprem.engine.transcription import Timeline, Transcriber, Transcription
from onprem.errors import ModelFolderUnrecognised
from tests.support.pyannote_sample import sample_pcm

TIMES = st.floats(-1, 40, allow_nan=False)
SPEECH = [Turn("SPEAKER_00", 10.5, 14.7), Turn("SPEAKER_01", 14.3, 17.9)]
PLAIN = Task(diarization_model="starter")


@given(st.lists(st.tuples(TIMES, TIMES)))
def test_times_never_run_backwards(spans: list[tuple[float, float]]) -> None:
    timeline = Timeline(duration=30.0)
    times = [time for span in spans for time in timeline.place(*span)]
    assert times == sorted(times)
    assert all(0 <= time <= 30 for time in times)


def test_times_in_order_stay_as_they_are() -> None:
    timeline = Timeline(duration=2.0)
    assert timeline.place(0.5, 0.9) == (0.5, 0.9)
    assert timeline.place(0.9, 1.25) == (0.9, 1.25)


@pytest.fixture(scope="module")
def english(models_folder: Path) -> Transcriber:
    return Transcriber(models_folder / "whisper-tiny.en", torch.device("cpu"), threads=2)


@pytest.fixture(scope="module")
def multilingual(models_folder: Path) -> Transcriber:
    return Transcriber(models_folder / "whisper-base", torch.device("cpu"), threads=2)


def transcribe(
    model: Transcriber,
    pcm: memoryview | None = None,
    turns: list[Turn] | None = None,
    heard: list[Word] | None = None,
    **asked: Any,
) -> Transcription:
    """pyannote's sample where no `pcm` is given; all of it where there are no `turns`."""
    if pcm is None:
        pcm, turns = sample_pcm(), SPEECH if turns is None else turns
    return model.transcribe(
        Task(diarization_model="starter", **asked),
        pcm,
        turns or [Turn("SPEAKER_00", 0.0, len(pcm) / 16_000)],
        lambda fraction: None,
        CancelToken(),
        None if heard is None else heard.extend,
    )


def text(result: Transcription) -> str:
    return "".join(word.text for word in result.words)


def samples(path: Path) -> memoryview:
    """A recording as 16 kHz mono."""
    out = io.BytesIO()
    resampler = av.AudioResampler("s16", "mono", 16_000)
    with av.open(str(path)) as file:
        for frame in (*file.decode(audio=0), None):
            for piece in resampler.resample(frame):
                out.write(bytes(piece.planes[0])[: piece.samples * 2])
    return memoryview(out.getvalue()).cast("h")


@pytest.mark.models
def test_words_lie_in_the_speech(english: Transcriber) -> None:
    words = transcribe(english).words
    assert words[0].start >= 10.3
    assert words[-1].end <= 18.1


@pytest.mark.models
def test_words_are_heard_as_they_will_be_in_the_result(english: Transcriber) -> None:
    heard: list[Word] = []
    result = transcribe(english, turns=[Turn("A", 6.0, 9.0), *SPEECH], heard=heard)
    assert heard == result.words
    times = [time for word in heard for time in (word.start, word.end)]
    assert times == sorted(times)


@pytest.mark.models
def test_segments_hold_the_words_and_the_model_s_figures(english: Transcriber) -> None:
    result = transcribe(english, turns=[Turn("A", 6.0, 9.0), *SPEECH])
    assert [segment.id for segment in result.segments] == list(range(len(result.segments)))
    assert "".join(segment.text for segment in result.segments) == text(result)
    for segment in result.segments:
        inside = [w for w in result.words if segment.start <= w.start and w.end <= segment.end]
        assert "".join(word.text for word in inside) == segment.text
        assert 5.8 <= segment.seek / 100 <= segment.start
        assert segment.temperature == 0.0
        assert -1 < segment.avg_logprob < 0
        assert 0.3 < segment.compression_ratio < 2.4
        assert 0 <= segment.no_speech_prob <= 1
        assert all(isinstance(token, int) for token in segment.tokens)
    assert {type(value) for segment in result.segments for value in segment.tokens} == {int}


@pytest.mark.models
def test_an_english_model_says_when_it_was_asked_for_another_language(english: Transcriber) -> None:
    assert transcribe(english, language="en").warnings == []
    asked_for_french = transcribe(english, language="fr")
    assert asked_for_french.language == "en"
    assert "English only" in asked_for_french.warnings[0]


@pytest.mark.models
def test_the_language_is_detected_or_taken(multilingual: Transcriber) -> None:
    detected = transcribe(multilingual)
    assert (detected.language, detected.warnings) == ("en", [])
    assert "New Jersey" in text(detected)
    assert transcribe(multilingual, language="en").language == "en"


@pytest.mark.models
def test_an_unknown_language_falls_back_with_a_warning(multilingual: Transcriber) -> None:
    result = transcribe(multilingual, language="xx")
    assert result.language == "en"
    assert "en was detected" in result.warnings[0]


@pytest.mark.models
@pytest.mark.parametrize("hint", [{"vocabulary": ["ComfyUI"]}, {"prompt": "About ComfyUI."}])
def test_a_name_that_is_told_beforehand_is_spelled_so(
    multilingual: Transcriber, shared_data: Path, hint: dict[str, Any]
) -> None:
    recording = samples(shared_data / "asr" / "hotwords.mp3")
    assert "ComfyUI" not in text(transcribe(multilingual, recording, language="en"))
    told = transcribe(multilingual, recording, language="en", **hint)
    assert text(told).count("ComfyUI") == 2
    assert told.warnings == []


@pytest.mark.models
@pytest.mark.parametrize("hint", [{"vocabulary": ["Kwilter"]}, {"prompt": "About Mr. Kwilter."}])
def test_every_window_is_told(
    multilingual: Transcriber, shared_data: Path, hint: dict[str, Any]
) -> None:
    """Mr. Quilter, three times, 10 s apart: each is a window of its own."""
    once = samples(shared_data / "asr" / "leopard_en.wav")
    pause = bytes(2 * 10 * 16_000)
    length = len(once) / 16_000
    starts = [index * (length + 10) for index in range(3)]
    turns = [Turn("A", start, start + length) for start in starts]
    pcm = memoryview(pause.join([once.tobytes()] * 3)).cast("h")
    assert "Kwilter" not in text(transcribe(multilingual, pcm, turns[:1], language="en"))
    told = transcribe(multilingual, pcm, turns, language="en", **hint)
    assert text(told).count("Kwilter") == 3


@pytest.mark.models
def test_the_vocabulary_is_told_again_where_the_model_begins_again(
    multilingual: Transcriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half-way through a window; the prompt is not, lest the model write it down."""
    prompts: list[list[int]] = []
    model = multilingual._model
    ask, split = model.get_prompt, model._split_segments_by_timestamps

    def watched(*arguments: Any, **options: Any) -> list[int]:
        prompts.append(ask(*arguments, **options))
        return prompts[-1]

    def cut(*arguments: Any, **options: Any) -> Any:
        segments, seek, _ = split(*arguments, **options)
        return segments, seek - 1000 if len(prompts) == 1 else seek, True

    def tokens(said: str) -> list[int]:
        ids: list[int] = model.hf_tokenizer.encode(said, add_special_tokens=False).ids
        return ids

    monkeypatch.setattr(model, "get_prompt", watched)
    monkeypatch.setattr(model, "_split_segments_by_timestamps", cut)
    whole = [Turn("A", 6.0, 29.0)]
    transcribe(multilingual, turns=whole, vocabulary=["Kwilter"], prompt="Of gospels.")
    vocabulary, prompt = tokens(" Kwilter."), tokens(" Of gospels.")
    begin = 1 + len(vocabulary)
    assert len(prompts) > 1
    assert all(told[1:begin] == vocabulary for told in prompts)
    assert [told[begin : begin + len(prompt)] == prompt for told in prompts] == [
        index == 0 for index in range(len(prompts))
    ]


@pytest.mark.models
def test_what_does_not_fit_is_named_once_and_unquoted(multilingual: Transcriber) -> None:
    """Two windows, both with as much as the model can take."""
    names = [f"Quilterham {number}" for number in range(100)]
    turns = [Turn("A", 7.5, 8.5), Turn("A", 13.0, 14.0)]
    told = transcribe(multilingual, turns=turns, language="en", vocabulary=names)
    [warning] = told.warnings
    assert warning.startswith("The vocabulary is longer")
    assert "uilter" not in warning


@pytest.mark.models
def test_a_translation_is_english_and_says_what_was_spoken(
    multilingual: Transcriber, shared_data: Path
) -> None:
    german = samples(shared_data / "asr" / "leopard_de.wav")
    assert "Portal" in text(transcribe(multilingual, german)).title()
    translated = transcribe(multilingual, german, translate=True)
    assert translated.language == "de"
    assert {"the", "was", "room"} <= set(text(translated).lower().split())
    assert translated.words[-1].end <= len(german) / 16_000


@pytest.mark.models
def test_english_is_not_translated(multilingual: Transcriber) -> None:
    assert transcribe(multilingual, translate=True).words == transcribe(multilingual).words


@pytest.mark.models
def test_no_speech_no_words(english: Transcriber) -> None:
    result = english.transcribe(PLAIN, sample_pcm(), [], lambda fraction: None, CancelToken())
    assert (result.words, result.segments) == ([], [])


def test_a_folder_without_a_model_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(ModelFolderUnrecognised, match="CTranslate2 cannot load it"):
        Transcriber(tmp_path, torch.device("cpu"), threads=1)
