"""Each format of an answer, letter by letter."""

import json
from typing import Any

import msgspec
import pytest

from onprem.core.openai.output import NOTHING_SAID, SpeechOutput, speech_output
from onprem.core.openai.render import render
from onprem.core.openai.requests import ResponseFormat, TranscriptionRequest, TranslationRequest
from onprem.core.speech import Analysis, Segment, Turn, Word

FIGURES = {
    "temperature": 0.0,
    "avg_logprob": -0.25,
    "compression_ratio": 1.5,
    "no_speech_prob": 0.01,
}
SEGMENTS = [
    Segment(
        id=0, seek=0, start=0.1, end=1.2, text=" Good morning.", tokens=[50364, 2205], **FIGURES
    ),  # type: ignore[arg-type]
    Segment(id=1, seek=0, start=2.5, end=3.0, text=" Hello.", tokens=[2425], **FIGURES),  # type: ignore[arg-type]
]
ANALYSIS = Analysis(
    turns=[Turn("SPEAKER_01", 0.0, 1.5), Turn("SPEAKER_00", 2.4, 3.1)],
    exclusive=[Turn("SPEAKER_01", 0.0, 1.5), Turn("SPEAKER_00", 2.4, 3.1)],
    words=[Word(0.1, 0.5, " Good"), Word(0.5, 1.2, " morning."), Word(2.5, 3.0, " Hello.")],
    segments=SEGMENTS,
    language="de",
    engine={},
)
OUTPUT = speech_output(ANALYSIS, {}, [])
SECONDS = 3.2


def asked(response_format: str, **fields: Any) -> TranscriptionRequest:
    return TranscriptionRequest(
        model="m", response_format=ResponseFormat(response_format), **fields
    )


def rendered(
    request: TranscriptionRequest | TranslationRequest, output: SpeechOutput = OUTPUT
) -> Any:
    made = render(request, output, SECONDS)
    if made.content_type == "application/json":
        return json.loads(made.body)
    assert made.content_type == "text/plain; charset=utf-8"
    return made.body.decode()


def test_json() -> None:
    assert rendered(asked("json")) == {
        "text": "Good morning. Hello.",
        "usage": {"type": "duration", "seconds": 4},
    }


def test_text() -> None:
    assert rendered(asked("text")) == "Good morning. Hello.\n"


def test_srt_has_no_names() -> None:
    assert rendered(asked("srt")) == (
        "1\n00:00:00,100 --> 00:00:01,200\nGood morning.\n\n"
        "2\n00:00:02,500 --> 00:00:03,500\nHello.\n"
    )


def test_vtt_has_no_names() -> None:
    assert rendered(asked("vtt")) == (
        "WEBVTT\n\n00:00:00.100 --> 00:00:01.200\nGood morning.\n\n"
        "00:00:02.500 --> 00:00:03.500\nHello.\n"
    )


def test_verbose_json_holds_segments_unless_words_are_asked_for() -> None:
    body = rendered(asked("verbose_json"))
    assert body == {
        "task": "transcribe",
        "language": "german",
        "duration": 3.2,
        "text": "Good morning. Hello.",
        "segments": [msgspec.to_builtins(segment) for segment in SEGMENTS],
        "usage": {"type": "duration", "seconds": 4},
    }
    words = rendered(asked("verbose_json", timestamp_granularities=["word"]))
    assert "segments" not in words
    assert words["words"] == [
        {"word": "Good", "start": 0.1, "end": 0.5},
        {"word": "morning.", "start": 0.5, "end": 1.2},
        {"word": "Hello.", "start": 2.5, "end": 3.0},
    ]
    both = rendered(asked("verbose_json", timestamp_granularities=["word", "segment"]))
    assert {"segments", "words"} <= both.keys()


def test_diarized_json_letters_its_speakers_by_appearance() -> None:
    assert rendered(asked("diarized_json")) == {
        "task": "transcribe",
        "duration": 3.2,
        "text": "Good morning. Hello.",
        "segments": [
            {
                "type": "transcript.text.segment",
                "id": "seg_0",
                "start": 0.1,
                "end": 1.2,
                "speaker": "A",
                "text": "Good morning.",
            },
            {
                "type": "transcript.text.segment",
                "id": "seg_1",
                "start": 2.5,
                "end": 3.0,
                "speaker": "B",
                "text": "Hello.",
            },
        ],
        "usage": {"type": "duration", "seconds": 4},
    }


def test_a_translation_is_english_and_has_no_usage() -> None:
    assert rendered(TranslationRequest(model="m")) == {"text": "Good morning. Hello."}
    request = TranslationRequest(model="m", response_format=ResponseFormat.VERBOSE_JSON)
    body = rendered(request)
    assert (body["task"], body["language"], len(body["segments"])) == ("translate", "english", 2)


@pytest.mark.parametrize("response_format", ResponseFormat)
def test_silence_has_every_format(response_format: ResponseFormat) -> None:
    body = rendered(asked(response_format), NOTHING_SAID)
    if isinstance(body, dict):
        assert body["text"] == ""
        assert body.get("segments", []) == []
    else:
        assert body.strip() in ("", "WEBVTT")
