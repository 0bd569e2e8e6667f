"""Languages by name, speakers by letter."""

from faster_whisper.tokenizer import _LANGUAGE_CODES as WHISPER

from onprem.core.openai.names import language_name, speaker_labels


def test_every_language_of_whisper_has_a_name() -> None:
    assert [code for code in WHISPER if language_name(code) == code] == []
    assert language_name("de") == "german"
    assert language_name("xx") == "xx"
    assert language_name(None) == "unknown"


def test_speakers_are_lettered_by_appearance() -> None:
    assert speaker_labels(["z", "a", "z"]) == {"z": "A", "a": "B"}
    many = speaker_labels(str(number) for number in range(703))
    assert [many[each] for each in ("25", "26", "27", "701", "702")] == [
        "Z",
        "AA",
        "AB",
        "ZZ",
        "AAA",
    ]
