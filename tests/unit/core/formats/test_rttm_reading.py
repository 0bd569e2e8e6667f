"""Reading RTTM: what we write comes back, and faults name their line without quoting it."""

import pytest
from hypothesis import given

from onprem.core.formats.rttm import RttmInvalid, rttm, turns_of
from onprem.core.speech import Turn
from onprem.core.transcript import turns_in
from tests.support.outputs import outputs

LINE = "SPEAKER call 1 1.5 0.25 <NA> <NA> Anna <NA> <NA>"


@given(outputs())
def test_what_was_written_comes_back(output: bytes) -> None:
    turns = turns_in(output)
    assert turns
    read = turns_of(rttm(turns, "a"))
    assert [(turn.speaker, round(turn.start, 3), round(turn.end, 3)) for turn in read] == [
        (turn.speaker, round(turn.start, 3), round(turn.end, 3)) for turn in turns
    ]


def test_other_lines_are_skipped() -> None:
    others = ";; a comment\n\nSPKR-INFO call 1 <NA> <NA> <NA> unknown Anna <NA> <NA>\n"
    assert turns_of(others + LINE) == [Turn("Anna", 1.5, 1.75)]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("SPEAKER call 1 1.5 0.25 <NA> <NA>", "Line 2 has 7 fields"),
        (LINE.replace("1.5", "soon"), "Line 2: its fourth"),
        (LINE.replace("0.25", "-0.25"), "Line 2: its fourth"),
        (LINE.replace("0.25", "nan"), "Line 2: its fourth"),
        (LINE.replace("call", "other"), "about 2 recordings"),
    ],
)
def test_faults(line: str, why: str) -> None:
    with pytest.raises(RttmInvalid) as refusal:
        turns_of(f"{LINE}\n{line}\n")
    assert why in str(refusal.value)
    assert "Anna" not in str(refusal.value)


def test_a_file_without_a_speaker() -> None:
    with pytest.raises(RttmInvalid):
        turns_of(";; nothing\n")
