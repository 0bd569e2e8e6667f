"""The one view of all kinds of outputs."""

import msgspec

from onprem.core.speech import Turn
from onprem.core.transcript import said_in, turns_in

TURNS = [{"speaker": "SPEAKER_00", "start": 0, "end": 2}]
WORDS = [{"speaker": "SPEAKER_00", "start": 0, "end": 2, "text": "Hi"}]


def test_a_diarization_without_words() -> None:
    output = msgspec.json.encode({"diarization": TURNS, "confidence": {"score": []}})
    assert turns_in(output) == [Turn("SPEAKER_00", 0, 2)]
    assert said_in(output) is None


def test_identified_names_stand_everywhere() -> None:
    named = {"speaker": "Sam", "match": "Sam", "diarizationSpeaker": "SPEAKER_00"}
    output = msgspec.json.encode(
        {
            "diarization": TURNS,
            "identification": [{**named, "start": 0, "end": 2}],
            "wordLevelTranscription": WORDS,
            "turnLevelTranscription": WORDS,
        }
    )
    assert turns_in(output) == [Turn("Sam", 0, 2)]
    assert [(turn.speaker, turn.text) for turn in said_in(output) or []] == [("Sam", "Hi")]


def test_nobody_spoke_is_not_nothing_transcribed() -> None:
    output = {"diarization": [], "wordLevelTranscription": [], "turnLevelTranscription": []}
    assert said_in(msgspec.json.encode(output)) == []


def test_names_are_single_lines_that_can_be_seen() -> None:
    turns = [{**TURNS[0], "speaker": name} for name in ("An\nna\x07", "\t", "")]
    seen = turns_in(msgspec.json.encode({"diarization": turns}))
    assert [turn.speaker for turn in seen or []] == ["An na", "?", "?"]


def test_an_output_of_another_kind_holds_neither() -> None:
    for fields in ({"voiceprint": "abc"}, {"error": "No speech detected."}):
        output = msgspec.json.encode(fields)
        assert turns_in(output) is None and said_in(output) is None
