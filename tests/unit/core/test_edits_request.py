"""Every fault in a body of edits is named, with the field that it is in."""

from typing import Any

import msgspec
import pytest

from onprem.core.edits import Edits, TextEdit, TurnEdit
from onprem.core.edits_request import EditsRequest, fitting
from onprem.core.fieldwise import Conversion, convert_fields
from onprem.core.speech import Turn, Word
from tests.support.outputs import output

STORED = output(
    [Turn("SPEAKER_00", 0.0, 3.0), Turn("SPEAKER_01", 3.5, 5.0)],
    [Word(0.125, 0.5, " Hello"), Word(3.6, 4.0, " Hi.")],
)
UNSPOKEN = msgspec.json.encode({"diarization": []})


def fitted(body: dict[str, Any], stored: bytes = STORED) -> Conversion[Edits]:
    return fitting(convert_fields(EditsRequest, body), stored)


def test_edits_that_fit() -> None:
    body = {
        "speakers": {"SPEAKER_00": "Anna", "SPEAKER_07": "Ben"},
        "diarization": [{"index": 1, "start": 3.5, "speaker": "SPEAKER_07"}],
        "turnLevelTranscription": [{"index": 0, "start": 0.1251, "text": "Hello!"}],
    }
    assert fitted(body).value == Edits(
        {"SPEAKER_00": "Anna", "SPEAKER_07": "Ben"},
        [TurnEdit(1, 3.5, "SPEAKER_07")],
        [TextEdit(0, 0.1251, None, "Hello!")],
    )


def test_nothing_is_no_edits() -> None:
    assert fitted({}).value == Edits()
    assert fitted({"speakers": None, "diarization": []}, UNSPOKEN).value == Edits()


def turn(**edit: object) -> dict[str, object]:
    return {"turnLevelTranscription": [{"index": 0, "start": 0.125, **edit}]}


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"speakers": []}, {"speakers"}),
        ({"speakers": {"SPEAKER_02": "Anna"}}, {"speakers.SPEAKER_02"}),
        ({"speakers": {"SPEAKER_00": ""}}, {"speakers.SPEAKER_00"}),
        ({"speakers": {"SPEAKER_00": " "}}, {"speakers.SPEAKER_00"}),
        ({"speakers": {"SPEAKER_00": "An\nna"}}, {"speakers.SPEAKER_00"}),
        ({"speakers": {"SPEAKER_00": "Anna\n"}}, {"speakers.SPEAKER_00"}),
        ({"speakers": {"SPEAKER_00": "x" * 101}}, {"speakers.SPEAKER_00"}),
        ({"speakers": {"SPEAKER_00": None}}, {"speakers.SPEAKER_00"}),
        ({"diarization": [3]}, {"diarization[0]"}),
        ({"diarization": [{}]}, {"diarization[0].index", "diarization[0].start"}),
        ({"diarization": [{"index": 2, "start": 3.5}]}, {"diarization[0].index"}),
        ({"diarization": [{"index": -1, "start": 3.5}]}, {"diarization[0].index"}),
        ({"diarization": [{"index": 1, "start": 3.4}]}, {"diarization[0].start"}),
        ({"diarization": [{"index": 1, "start": 3.5}] * 2}, {"diarization[1].index"}),
        (turn(speaker=""), {"turnLevelTranscription[0].speaker"}),
        (turn(text=7), {"turnLevelTranscription[0].text"}),
        (turn(text="x" * 100_001), {"turnLevelTranscription[0].text"}),
        (
            {"speakers": {"A": ""}, "diarization": [{"index": 9, "start": 0}], **turn(text=7)},
            {"speakers.A", "diarization[0].index", "turnLevelTranscription[0].text"},
        ),
    ],
)
def test_each_fault_is_named(body: dict[str, Any], fields: set[str]) -> None:
    found = fitted(body)
    assert found.value is None
    assert {fault.field for fault in found.faults} == fields


def test_without_a_transcription_no_text_can_be_corrected() -> None:
    found = fitted(turn(text="Hello"), UNSPOKEN)
    assert [fault.field for fault in found.faults] == ["turnLevelTranscription[0].index"]


def test_unknown_fields_are_told_apart() -> None:
    body = {
        **turn(tetx="Hello"),
        "speaker": {},
        "diarization": [{"index": 1, "start": 3.5, "text": ""}],
    }
    found = fitted(body)
    assert found.faults == []
    assert set(found.unknown) == {
        "speaker",
        "diarization[0].text",
        "turnLevelTranscription[0].tetx",
    }
