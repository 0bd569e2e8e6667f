"""What a client may ask about voices."""

from typing import Any

import pytest

from onprem.core.fieldwise import Conversion, convert_fields
from onprem.core.voice_requests import (
    IdentifyRequest,
    Matching,
    VoiceprintRequest,
    consent_faults,
)

ONE = {"label": "Sam", "voiceprint": "AAAA"}


def converted(**body: Any) -> Conversion[IdentifyRequest]:
    return convert_fields(IdentifyRequest, {"url": "media://a", "voiceprints": [ONE], **body})


def request(**body: Any) -> IdentifyRequest:
    found = converted(**body)
    assert found.value is not None, found.faults
    return found.value


def faulty(**body: Any) -> list[str]:
    found = converted(**body)
    faults = found.value.faults() if found.value else found.faults
    return [fault.field for fault in faults]


def test_url_and_voiceprints_are_required() -> None:
    assert faulty(url=None, voiceprints=None) == ["url", "voiceprints"]


@pytest.mark.parametrize("given", [None, {}, {"exclusive": None, "threshold": None}])
def test_matching_has_defaults_and_takes_nulls(given: Any) -> None:
    assert request(matching=given).matching == Matching(exclusive=True, threshold=0.0)


def test_matching_as_the_official_sdk_sends_it() -> None:
    found = request(matching={"exclusive": False, "threshold": 0.0}).matching
    assert found == Matching(exclusive=False, threshold=0.0)


@pytest.mark.parametrize(("threshold", "accepted"), [(0, 1), (100, 1), (-0.1, 0), (100.1, 0)])
def test_a_threshold_has_bounds(threshold: float, accepted: int) -> None:
    expected = [] if accepted else ["matching.threshold"]
    assert faulty(matching={"threshold": threshold}) == expected


@pytest.mark.parametrize(("count", "accepted"), [(0, 0), (1, 1), (50, 1), (51, 0)])
def test_1_to_50_voiceprints(count: int, accepted: int) -> None:
    prints = [{"label": f"p{index}", "voiceprint": "AAAA"} for index in range(count)]
    assert faulty(voiceprints=prints) == ([] if accepted else ["voiceprints"])


@pytest.mark.parametrize("label", ["SPEAKER_00", "speaker_x", "Speaker_"])
def test_a_label_must_not_look_like_the_diarizations(label: str) -> None:
    assert faulty(voiceprints=[ONE, {**ONE, "label": label}]) == ["voiceprints[1].label"]


@pytest.mark.parametrize("label", ["Speaker", "a SPEAKER_00", "Ö", "x" * 100])
def test_other_labels_are_taken(label: str) -> None:
    assert faulty(voiceprints=[{**ONE, "label": label}]) == []


@pytest.mark.parametrize("label", ["", "x" * 101, None, 3])
def test_a_label_has_a_length(label: Any) -> None:
    assert faulty(voiceprints=[ONE, {**ONE, "label": label}]) == ["voiceprints[1].label"]


def test_two_labels_are_never_the_same() -> None:
    prints = [ONE, {**ONE, "label": "Rick"}, ONE, ONE]
    assert faulty(voiceprints=prints) == ["voiceprints[2].label", "voiceprints[3].label"]


def test_a_voiceprint_has_a_greatest_length() -> None:
    assert faulty(voiceprints=[{**ONE, "voiceprint": "A" * 20_000}]) == []
    assert faulty(voiceprints=[{**ONE, "voiceprint": "A" * 20_001}]) == [
        "voiceprints[0].voiceprint"
    ]


def test_everything_of_a_diarization_but_transcription() -> None:
    found = request(numSpeakers=2, exclusive=True, channels="separate", transcription=False)
    assert (found.num_speakers, found.exclusive, found.channels) == (2, True, "separate")
    assert faulty(minSpeakers=3, maxSpeakers=2) == ["minSpeakers"]
    assert faulty(transcription=True) == ["transcription"]


@pytest.mark.parametrize(("consent", "accepted"), [("x", 1), ("x" * 200, 1), ("", 0)])
def test_a_consent_has_a_length(consent: str, accepted: int) -> None:
    found = convert_fields(VoiceprintRequest, {"url": "media://a", "consentRef": consent})
    assert [fault.field for fault in found.faults] == ([] if accepted else ["consentRef"])
    assert bool(consent_faults(found.sound)) == (not accepted)
