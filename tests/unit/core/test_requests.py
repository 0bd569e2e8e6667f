"""What a client may ask for."""

from typing import Any

import pytest
from hypothesis import given, strategies as st

from onprem.core.fieldwise import convert_fields
from onprem.core.requests import DiarizeRequest, TranscriptionConfig, media_key
from onprem.core.work import DiarizeWork
from onprem.faults import Fault


def request(**body: Any) -> DiarizeRequest:
    found = convert_fields(DiarizeRequest, {"url": "media://a", **body})
    assert found.value is not None, found.faults
    return found.value


def faulty(**body: Any) -> set[str]:
    return {fault.field for fault in convert_fields(DiarizeRequest, body).faults}


def test_only_the_url_is_required() -> None:
    assert request() == DiarizeRequest(url="media://a")
    assert faulty() == {"url"}


def test_names_are_those_of_the_contract() -> None:
    asked = request(
        numSpeakers=2,
        minSpeakers=1,
        maxSpeakers=3,
        turnLevelConfidence=True,
        transcriptionConfig={"model": "whisper-small", "language": "de"},
    )
    assert (asked.num_speakers, asked.min_speakers, asked.max_speakers) == (2, 1, 3)
    assert asked.turn_level_confidence
    assert asked.transcription_config == TranscriptionConfig(model="whisper-small", language="de")


@pytest.mark.parametrize("name", ["numSpeakers", "minSpeakers", "maxSpeakers"])
@pytest.mark.parametrize(("value", "accepted"), [(0, False), (1, True), (100, True), (101, False)])
def test_speaker_counts_have_bounds(name: str, value: int, accepted: bool) -> None:
    assert faulty(url="media://a", **{name: value}) == (set() if accepted else {name})


@pytest.mark.parametrize("language", ["english", "EN", "e", "d3", ""])
def test_a_language_is_a_code(language: str) -> None:
    found = faulty(url="media://a", transcriptionConfig={"language": language})
    assert found == {"transcriptionConfig.language"}


def test_fewest_speakers_must_not_exceed_most() -> None:
    assert request(minSpeakers=3, maxSpeakers=2).faults() == [
        Fault("minSpeakers", "Must not be greater than maxSpeakers")
    ]
    assert request(minSpeakers=2, maxSpeakers=2).faults() == []
    assert request(minSpeakers=3).faults() == []


def test_an_exact_number_of_speakers_stands_above_bounds() -> None:
    asked = request(numSpeakers=4, minSpeakers=3, maxSpeakers=2)
    assert asked.faults() == []
    task = DiarizeWork(request=asked, diarization_model="starter").task()
    assert (task.num_speakers, task.min_speakers, task.max_speakers) == (4, None, None)


@pytest.mark.parametrize("key", ["a", "folder/a.wav", "A-b_c.1", "x" * 247, "..", "a//b"])
def test_a_media_url_has_a_key(key: str) -> None:
    assert media_key(f"media://{key}") == key


@pytest.mark.parametrize(
    "url",
    [
        "",
        "media://",
        "media:/a",
        "Media://a",
        "https://h/a.wav",
        "media://a b",
        "media://a?x",
        "media://a%20b",
        "media://\N{LATIN SMALL LETTER A WITH DIAERESIS}",
        "media://a\n",
        " media://a",
        "media://" + "x" * 248,
    ],
)
def test_any_other_url_has_none(url: str) -> None:
    assert media_key(url) is None


@given(st.text(max_size=300))
def test_a_key_is_always_made_of_the_characters_of_the_contract(text: str) -> None:
    key = media_key(f"media://{text}")
    if key is not None:
        assert key == text
        assert all(each.isascii() and (each.isalnum() or each in "-_./") for each in key)
