"""The output of a job: what the request asked for, in the contract's layout."""

from typing import Any

import msgspec
import pytest

from onprem.core.output import FailedOutput, diarization_output
from onprem.core.requests import DiarizeRequest
from onprem.core.speech import Analysis, FrameScores, Turn, Word

TURNS = [Turn("A", 0.0, 1.0, {"A": 90}), Turn("B", 0.9, 2.0, {"B": 80})]
EXCLUSIVE = [Turn("A", 0.0, 0.9), Turn("B", 0.9, 2.0)]
WORDS = [Word(0.1, 0.5, " Hello"), Word(0.5, 0.6, ","), Word(1.0, 1.5, " world")]


def output(asked: dict[str, Any], *warnings: str, **found: Any) -> dict[str, Any]:
    analysis = Analysis(turns=TURNS, exclusive=EXCLUSIVE, engine={}, **found)
    request = DiarizeRequest(url="media://a", **asked)
    encoded = msgspec.json.encode(diarization_output(request, analysis, list(warnings)))
    decoded: dict[str, Any] = msgspec.json.decode(encoded)
    return decoded


def test_a_plain_request_gets_turns_and_nothing_else() -> None:
    scores = FrameScores([90], 0.02)
    assert output({}, confidence=scores) == {
        "diarization": [
            {"speaker": "A", "start": 0.0, "end": 1.0, "confidence": {"A": 90}},
            {"speaker": "B", "start": 0.9, "end": 2.0, "confidence": {"B": 80}},
        ]
    }


def test_scores_come_when_they_are_asked_for() -> None:
    found = output({"confidence": True}, confidence=FrameScores([90, 80], 0.02))
    assert found["confidence"] == {"score": [90, 80], "resolution": 0.02}


def test_exclusive_turns_come_when_they_are_asked_for() -> None:
    found = output({"exclusive": True})
    assert [turn["speaker"] for turn in found["exclusiveDiarization"]] == ["A", "B"]


def test_words_are_trimmed_and_turns_join_them_as_they_were_said() -> None:
    found = output({"transcription": True}, words=WORDS)
    assert [word["text"] for word in found["wordLevelTranscription"]] == ["Hello", ",", "world"]
    assert found["turnLevelTranscription"] == [
        {"start": 0.1, "end": 0.6, "text": "Hello,", "speaker": "A"},
        {"start": 1.0, "end": 1.5, "text": "world", "speaker": "B"},
    ]


def test_silence_transcribes_to_empty_lists() -> None:
    found = output({"transcription": True}, words=[])
    assert found["wordLevelTranscription"] == []
    assert found["turnLevelTranscription"] == []


@pytest.mark.parametrize(
    ("of_engine", "of_decoder", "shown"),
    [([], [], None), (["One."], [], "One."), (["One."], ["Two."], "One. Two.")],
)
def test_warnings_are_one_text(
    of_engine: list[str], of_decoder: list[str], shown: str | None
) -> None:
    assert output({}, *of_decoder, warnings=of_engine).get("warning") == shown


def test_a_failed_output_says_why() -> None:
    assert msgspec.json.encode(FailedOutput("It broke.")) == b'{"error":"It broke."}'
