"""Forms become requests: every way that clients write lists and objects, and every fault."""

import pytest
from hypothesis import given, strategies as st

from onprem.core.openai.requests import (
    ResponseFormat,
    SpeechRequest,
    TranscriptionRequest,
    TranslationRequest,
    from_form,
)
from onprem.faults import Fault

MODEL = ("model", "whisper-1")
REFERENCE = "data:audio/wav;base64,AAAA"


def asked(*pairs: tuple[str, str]) -> TranscriptionRequest:
    made = from_form(TranscriptionRequest, [MODEL, *pairs])
    assert made.value is not None, made.faults
    return made.value


def faults(
    *pairs: tuple[str, str], into: type[SpeechRequest] = TranscriptionRequest
) -> list[Fault]:
    made = from_form(into, [MODEL, *pairs])
    return made.faults if made.value is None else made.value.faults()


@pytest.mark.parametrize("name", ["timestamp_granularities", "timestamp_granularities[]"])
def test_lists_are_written_with_brackets_or_without(name: str) -> None:
    request = asked(("response_format", "verbose_json"), (name, "word"), (name, "segment"))
    assert request.timestamp_granularities == ["word", "segment"]
    assert request.faults() == []


def test_numbers_and_booleans_are_text_in_a_form() -> None:
    request = asked(("temperature", "0.2"), ("stream", "True"))
    assert (request.temperature, request.stream) == (0.2, True)


@pytest.mark.parametrize(
    "written", [("chunking_strategy", "auto"), ("chunking_strategy[type]", "server_vad")]
)
def test_a_chunking_strategy_is_a_word_or_an_object(written: tuple[str, str]) -> None:
    assert asked(written).chunking_strategy == written[1]


def test_members_of_the_chunking_strategy_and_other_fields_are_named() -> None:
    pairs = [MODEL, ("chunking_strategy[threshold]", "0.5"), ("beam", "5"), ("beam", "6")]
    made = from_form(TranscriptionRequest, pairs)
    assert made.unknown == ["beam", "chunking_strategy[threshold]"]


def test_an_empty_field_counts_as_absent() -> None:
    request = asked(("language", ""), ("prompt", ""), ("keywords[]", ""), ("temperature", ""))
    assert request == TranscriptionRequest(model="whisper-1")


def test_one_of_several_languages_is_the_language() -> None:
    assert asked(("languages[]", "de")).spoken_language == "de"
    several = asked(("languages[]", "de"), ("languages[]", "en"))
    assert several.spoken_language is None
    assert several.remarks() == ["languages has no effect: the model finds the language."]


def test_a_temperature_is_named_where_it_would_have_an_effect() -> None:
    assert asked(("temperature", "0")).remarks() == []
    assert asked(("temperature", "0.5")).remarks() == ["temperature has no effect."]


@pytest.mark.parametrize(
    ("pairs", "field"),
    [
        ([("model", "other")], "model"),
        ([("response_format", "xml")], "response_format"),
        ([("temperature", "hot")], "temperature"),
        ([("temperature", "1.1")], "temperature"),
        ([("language", "english")], "language"),
        ([("stream", "perhaps")], "stream"),
        ([("stream", "true"), ("response_format", "srt")], "stream"),
        ([("include[]", "logprobs")], "include"),
        ([("include[]", "words")], "include[0]"),
        ([("timestamp_granularities[]", "word")], "timestamp_granularities"),
        ([("chunking_strategy", "manual")], "chunking_strategy"),
        ([("known_speaker_names[]", "Anna")], "known_speaker_names"),
        (
            [("response_format", "diarized_json"), ("known_speaker_names[]", "Anna")],
            "known_speaker_references",
        ),
        (
            [
                ("response_format", "diarized_json"),
                *[("known_speaker_names[]", "Anna"), ("known_speaker_names[]", "Anna")],
                *[("known_speaker_references[]", REFERENCE)] * 2,
            ],
            "known_speaker_names",
        ),
        (
            [
                ("response_format", "diarized_json"),
                *[("known_speaker_names[]", name) for name in "ABCDE"],
                *[("known_speaker_references[]", REFERENCE)] * 5,
            ],
            "known_speaker_names",
        ),
    ],
)
def test_each_fault_names_its_field(pairs: list[tuple[str, str]], field: str) -> None:
    assert faults(*pairs)[0].field == field


def test_a_model_is_required() -> None:
    assert from_form(TranscriptionRequest, []).faults == [Fault("model", "Required")]


def test_a_translation_has_no_speakers_and_no_language() -> None:
    assert faults(("response_format", "diarized_json"), into=TranslationRequest)
    assert from_form(TranslationRequest, [MODEL, ("language", "de")]).unknown == ["language"]


@given(st.sampled_from(ResponseFormat), st.booleans())
def test_what_can_be_streamed(response_format: ResponseFormat, stream: bool) -> None:
    pairs = [("response_format", response_format.value), ("stream", str(stream).lower())]
    refused = stream and response_format in ("srt", "vtt", "verbose_json")
    assert [fault.field for fault in faults(*pairs)] == (["stream"] if refused else [])


@given(st.lists(st.tuples(st.text(max_size=30), st.text(max_size=30)), max_size=8))
def test_any_form_is_a_request_or_has_faults(pairs: list[tuple[str, str]]) -> None:
    made = from_form(TranscriptionRequest, [MODEL, *pairs])
    assert (made.value is None) == bool(made.faults)
