"""Expected outputs in their three forms, and what is wrong with those that cannot be used."""

import msgspec
import pytest

from onprem.core.expected import (
    ExpectedFormat,
    Spoken,
    Unusable,
    expected_in,
    output_in,
    spoken_in,
)
from onprem.core.formats.txt import txt
from onprem.core.speech import Turn, Word
from onprem.core.transcript import said_in
from tests.support.outputs import output

TURNS = [Turn("SPEAKER_00", 0.0, 1.0), Turn("SPEAKER_01", 1.0, 2.0)]
WORDS = [Word(0.1, 0.5, " Hello:"), Word(0.6, 0.9, " there"), Word(1.2, 1.5, " you")]
WHOLE = output(TURNS, WORDS)


def test_json_has_turns_and_text() -> None:
    assert expected_in(WHOLE, ExpectedFormat.JSON) == Spoken(TURNS, "Hello: there you")


def test_json_without_a_transcription() -> None:
    assert spoken_in(output(TURNS)) == Spoken(TURNS, None)


def test_json_of_a_transcription_alone() -> None:
    fields = msgspec.json.decode(WHOLE)
    del fields["diarization"]
    assert spoken_in(msgspec.json.encode(fields)) == Spoken(None, "Hello: there you")


def test_a_corrected_text_counts_even_where_the_words_are_the_old_ones() -> None:
    fields = msgspec.json.decode(WHOLE)
    fields["turnLevelTranscription"][1]["text"] = "they"
    assert spoken_in(msgspec.json.encode(fields)).text == "Hello: there they"


def test_the_answer_of_the_api_holds_the_output() -> None:
    answer = msgspec.json.encode({"jobId": "x", "output": msgspec.Raw(WHOLE)})
    assert output_in(answer) == WHOLE
    assert output_in(WHOLE) == WHOLE
    assert spoken_in(answer) == spoken_in(WHOLE)


def test_our_own_text_is_words_only() -> None:
    said = said_in(WHOLE)
    assert said
    found = expected_in(txt(said).encode(), ExpectedFormat.TXT)
    assert found.turns is None and found.text is not None
    assert found.text.split() == ["Hello:", "there", "you"]


def test_plain_text_stays_as_it_is() -> None:
    text = "Anna: hello\n[laughs] Bea: 12:30"
    assert expected_in(b"\xef\xbb\xbf" + text.encode(), ExpectedFormat.TXT).text == text


def test_rttm_has_turns() -> None:
    line = b"SPEAKER a 1 0.5 1.25 <NA> <NA> Anna <NA> <NA>\n"
    assert expected_in(line, ExpectedFormat.RTTM) == Spoken([Turn("Anna", 0.5, 1.75)], None)


@pytest.mark.parametrize(
    ("format", "document", "why"),
    [
        (ExpectedFormat.TXT, b" \n", "empty"),
        (ExpectedFormat.TXT, b"\xff\xfe\x00", "UTF-8"),
        (ExpectedFormat.RTTM, b"\xff\xfe\x00", "UTF-8"),
        (ExpectedFormat.RTTM, b"", "no SPEAKER line"),
        (ExpectedFormat.JSON, b"secret", "not the JSON"),
        (ExpectedFormat.JSON, b"[]", "not the JSON"),
        (ExpectedFormat.JSON, b'{"error": "No speech"}', "neither"),
        (ExpectedFormat.JSON, b'{"jobId": "x", "output": null}', "neither"),
        (ExpectedFormat.JSON, b'{"output": "secret"}', "not the JSON"),
        (ExpectedFormat.JSON, b'{"diarization": [{"speaker": 3}]}', "diarization[0]"),
        (ExpectedFormat.JSON, b'{"turnLevelTranscription": [{"text": "x"}]}', "missing"),
    ],
)
def test_unusable(format: ExpectedFormat, document: bytes, why: str) -> None:
    with pytest.raises(Unusable) as refusal:
        expected_in(document, format)
    assert why in str(refusal.value)
    assert "secret" not in str(refusal.value)
