"""Corrections change what they name and nothing else, and no word is lost."""

import msgspec
import pytest
from hypothesis import given, settings, strategies as st

from onprem.core.edits import Edits, TextEdit, TurnEdit, apply
from onprem.core.formats.kind import OutputFormat
from onprem.core.formats.render import render
from onprem.core.speech import SpeakerScores, Turn, Word
from tests.support.outputs import LABELS, output, outputs

NAMES = st.dictionaries(st.sampled_from(LABELS), st.sampled_from([*LABELS, "Anna", "Ben"]))
PRINTABLE = st.text(st.characters(exclude_categories=["Cs", "Cc"]))
TURNS = [Turn("SPEAKER_00", 0.0, 3.0), Turn("SPEAKER_01", 3.5, 5.0), Turn("SPEAKER_00", 6.0, 7.0)]
WORDS = [
    Word(0.1, 0.5, " Helo"),
    Word(0.6, 1.0, " there."),
    Word(3.6, 4.0, " Hi."),
    Word(6.1, 6.9, " Bye."),
]
SPOKEN = output(TURNS, WORDS)


def fields(output: bytes) -> dict[str, list[dict[str, object]]]:
    return msgspec.json.decode(output, type=dict[str, list[dict[str, object]]])


def words(output: bytes) -> list[tuple[object, ...]]:
    return [tuple(word.values()) for word in fields(output)["wordLevelTranscription"]]


@given(outputs())
def test_no_edits_change_no_byte(output: bytes) -> None:
    assert apply(output, Edits()) is output


@settings(deadline=None)
@given(outputs(), NAMES)
def test_names_change_speakers_and_nothing_else(output: bytes, names: dict[str, str]) -> None:
    before, after = fields(output), fields(apply(output, Edits(speakers=names)))
    assert list(before) == list(after)
    for name, entries in before.items():
        for old, new in zip(entries, after[name], strict=True):
            assert new["speaker"] == names.get(str(old["speaker"]), old["speaker"])
            for key in ("start", "end", "text"):
                assert old.get(key) == new.get(key)


@settings(deadline=None)
@given(outputs(), st.data())
def test_texts_change_where_they_are_corrected(output: bytes, data: st.DataObject) -> None:
    before = fields(output)
    turns = before["turnLevelTranscription"]
    texts = data.draw(st.dictionaries(st.integers(0, len(turns) - 1), PRINTABLE)) if turns else {}
    edits = [TextEdit(at, float(str(turns[at]["start"])), None, text) for at, text in texts.items()]

    after = fields(apply(output, Edits(turn_level_transcription=edits)))

    for at, (old, new) in enumerate(zip(turns, after["turnLevelTranscription"], strict=True)):
        assert new == {**old, "text": texts.get(at, str(old["text"])).strip()}
    said = "".join(str(turn["text"]) for turn in after["turnLevelTranscription"])
    spoken = after["wordLevelTranscription"]
    visible = "".join("".join(str(word["text"]) for word in spoken).split())
    assert visible == "".join(said.split())
    times = [time for word in spoken for time in (word["start"], word["end"])]
    assert times == sorted(times)  # type: ignore[type-var]
    assert {name: after[name] for name in ("diarization", "exclusiveDiarization")} == {
        name: before[name] for name in ("diarization", "exclusiveDiarization")
    }


@settings(deadline=None)
@given(outputs(), NAMES)
def test_merging_loses_no_word_in_any_format(output: bytes, names: dict[str, str]) -> None:
    merged = apply(output, Edits(speakers=names))

    def said(output: bytes) -> list[str]:
        text = render(output, OutputFormat.TXT, job_id="job").body.decode()
        return [line.split(": ", 1)[1] for line in text.split("\n")[:-1]]

    assert said(merged) == said(output)


def test_two_labels_swap_their_names() -> None:
    swapped = apply(SPOKEN, Edits({"SPEAKER_00": "SPEAKER_01", "SPEAKER_01": "SPEAKER_00"}))
    assert [turn["speaker"] for turn in fields(swapped)["diarization"]] == [
        "SPEAKER_01",
        "SPEAKER_00",
        "SPEAKER_01",
    ]


def test_scores_go_with_the_names_and_merged_ones_are_the_highest() -> None:
    turns = [Turn("SPEAKER_00", 0, 1, {"SPEAKER_00": 60, "SPEAKER_01": 80, "SPEAKER_02": 5})]
    scores = {"SPEAKER_00": [1, 9], "SPEAKER_01": [4, 3], "SPEAKER_02": [0, 0]}
    stored = output(turns, speakerProbability=SpeakerScores(scores, 0.02))
    edits = Edits({"SPEAKER_00": "Anna", "SPEAKER_01": "Anna"})
    after = msgspec.json.decode(apply(stored, edits))
    for name in ("diarization", "exclusiveDiarization"):
        assert after[name][0]["confidence"] == {"Anna": 80, "SPEAKER_02": 5}
    assert after["speakerProbability"] == {
        "score": {"Anna": [4, 9], "SPEAKER_02": [0, 0]},
        "resolution": 0.02,
    }


def test_a_turn_is_given_to_another_speaker_with_its_exclusive_parts() -> None:
    exclusive = [Turn("SPEAKER_00", 0, 1), Turn("SPEAKER_00", 2, 3), *TURNS[1:]]
    stored = output(TURNS, exclusiveDiarization=exclusive)
    after = fields(apply(stored, Edits(diarization=[TurnEdit(0, 0.0, "SPEAKER_07")])))
    speakers = {name: [turn["speaker"] for turn in turns] for name, turns in after.items()}
    assert speakers == {
        "diarization": ["SPEAKER_07", "SPEAKER_01", "SPEAKER_00"],
        "exclusiveDiarization": ["SPEAKER_07", "SPEAKER_07", "SPEAKER_01", "SPEAKER_00"],
    }


def test_given_turns_are_named_as_their_new_speaker_is() -> None:
    edits = Edits({"SPEAKER_01": "Ben"}, [TurnEdit(2, 6.0, "SPEAKER_01")])
    after = fields(apply(SPOKEN, edits))
    assert [turn["speaker"] for turn in after["diarization"]] == ["SPEAKER_00", "Ben", "Ben"]
    assert [turn["speaker"] for turn in after["turnLevelTranscription"]] == [
        "SPEAKER_00",
        "Ben",
        "SPEAKER_00",
    ]


def test_a_transcribed_turn_is_corrected_with_its_words() -> None:
    edit = TextEdit(0, 0.1, "SPEAKER_01", " Hello there. ")
    after = apply(SPOKEN, Edits(turn_level_transcription=[edit]))
    assert fields(after)["turnLevelTranscription"][0] == {
        "start": 0.1,
        "end": 1.0,
        "text": "Hello there.",
        "speaker": "SPEAKER_01",
    }
    assert words(after) == [
        (0.1, 0.5, "Hello", "SPEAKER_01"),
        (0.6, 1.0, "there.", "SPEAKER_01"),
        (3.6, 4.0, "Hi.", "SPEAKER_01"),
        (6.1, 6.9, "Bye.", "SPEAKER_00"),
    ]


def test_a_turn_changes_its_speaker_and_keeps_its_text() -> None:
    after = apply(SPOKEN, Edits(turn_level_transcription=[TextEdit(2, 6.1, "SPEAKER_01")]))
    assert words(after)[3] == (6.1, 6.9, "Bye.", "SPEAKER_01")


def test_an_empty_text_takes_the_words_away_and_the_turn_keeps_its_place() -> None:
    after = apply(SPOKEN, Edits(turn_level_transcription=[TextEdit(1, 3.6, None, "")]))
    assert [turn["text"] for turn in fields(after)["turnLevelTranscription"]] == [
        "Helo there.",
        "",
        "Bye.",
    ]
    assert [word[2] for word in words(after)] == ["Helo", "there.", "Bye."]
    subtitles = render(after, OutputFormat.SRT, job_id="job").body.decode()
    assert subtitles.count("-->") == 2


IDENTIFIED = output(
    TURNS[:2],
    identification=[
        {"speaker": "Sam", "diarizationSpeaker": "SPEAKER_00", "match": "Sam"}
        | {"start": 0.0, "end": 3.0, "confidence": {"SPEAKER_00": 90, "SPEAKER_01": 10}},
        {"speaker": "SPEAKER_01", "diarizationSpeaker": "SPEAKER_01", "match": None}
        | {"start": 3.5, "end": 5.0},
    ],
    voiceprints=[
        {"speaker": "SPEAKER_00", "match": "Sam", "confidence": {"Sam": 86, "SPEAKER_01": 3}},
        {"speaker": "SPEAKER_01", "match": None, "confidence": {"Sam": 20}},
    ],
)


def test_names_of_identified_speakers() -> None:
    after = fields(apply(IDENTIFIED, Edits({"SPEAKER_00": "Samuel", "SPEAKER_01": "Ben"})))
    assert [turn["speaker"] for turn in after["diarization"]] == ["Samuel", "Ben"]
    first, second = after["identification"]
    assert (first["speaker"], first["diarizationSpeaker"], first["match"]) == (
        "Samuel",
        "Samuel",
        "Sam",
    )
    assert first["confidence"] == {"Samuel": 90, "Ben": 10}
    assert (second["speaker"], second["match"]) == ("Ben", None)
    assert [print["speaker"] for print in after["voiceprints"]] == ["Samuel", "Ben"]
    assert after["voiceprints"][0]["confidence"] == {"Sam": 86, "SPEAKER_01": 3}


@pytest.mark.parametrize(
    ("at", "speaker", "shown", "match"),
    [(1, "SPEAKER_00", "Sam", "Sam"), (0, "SPEAKER_01", "SPEAKER_01", None), (0, "X", "X", None)],
)
def test_an_identified_turn_is_given_to_another(
    at: int, speaker: str, shown: str, match: str | None
) -> None:
    edit = TurnEdit(at, float(TURNS[at].start), speaker)
    turn = fields(apply(IDENTIFIED, Edits(diarization=[edit])))["identification"][at]
    assert (turn["speaker"], turn["diarizationSpeaker"], turn["match"]) == (shown, speaker, match)


@pytest.mark.parametrize("name", ["A\tB", "A\x00B", "A\rB", "A\x85B", "A\u2028B", " ", ""])
def test_a_name_has_no_sign_that_cannot_be_seen(name: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"speakers": {"SPEAKER_00": name}}, Edits)


@pytest.mark.parametrize("name", ["A", "A B", "Å. Żółć 😀", "SPEAKER_01"])
def test_a_name_that_people_have(name: str) -> None:
    assert msgspec.convert({"speakers": {"SPEAKER_00": name}}, Edits).speakers["SPEAKER_00"] == name
