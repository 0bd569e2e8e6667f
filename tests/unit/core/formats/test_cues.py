"""Cues can be read: short, in time, cut where a speaker pauses or a sentence ends."""

from itertools import pairwise

import pytest
from hypothesis import given, settings

from onprem.core.formats.cues import Cue, cues
from onprem.core.timed_text import Piece, clean, split, spread, width
from onprem.core.transcript import Said, said_in
from tests.support.outputs import outputs


def said(text: str, start: float, end: float, speaker: str = "A") -> Said:
    return Said(speaker, start, end, spread(split(text), start, end))


def texts(made: list[Cue]) -> list[list[str]]:
    return [cue.lines for cue in made]


@settings(deadline=None)
@given(outputs())
def test_all_words_are_there_in_order_and_in_time(output: bytes) -> None:
    turns = said_in(output)
    assert turns is not None
    for names_in_line in (True, False):
        made = cues(turns, names_in_line=names_in_line)
        shown = "".join(line for cue in made for line in cue.lines)
        assert shown.replace(" ", "") == "".join(turn.text for turn in turns).replace(" ", "")
        assert all(0 <= cue.start < cue.end for cue in made)
        assert all(before.start <= after.start for before, after in pairwise(made))


@settings(deadline=None)
@given(outputs())
def test_cues_are_short(output: bytes) -> None:
    turns = said_in(output)
    assert turns is not None
    for cue in cues(turns, names_in_line=False):
        assert 1 <= len(cue.lines) <= 2
        assert all(0 < len(line) and width(line) <= 42 for line in cue.lines)
        assert all(line == clean(line) for line in cue.lines)
        assert cue.end - cue.start <= 7_000
    for cue in cues(turns, names_in_line=True):
        named = [f"{cue.speaker}: {cue.lines[0]}", *cue.lines[1:]]
        assert len(named) == 1 or all(width(line) <= 42 for line in named)


def test_a_pause_ends_a_cue() -> None:
    pieces = [Piece("Well", 0, 0.5), Piece("then", 1.2, 1.5), Piece("go", 2.3, 2.6)]
    made = cues([Said("A", 0, 2.6, pieces)], names_in_line=False)
    assert texts(made) == [["Well then"], ["go"]]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (
            "It was late in the evening, when the train arrived. And nobody had come to meet her",
            ["It was late in the evening,", "when the train arrived."],
        ),
        (
            "It was late in the evening, when the train arrived, and nobody had come to meet her",
            ["It was late in the evening,", "when the train arrived,"],
        ),
        (
            "It was late in the evening when the train arrived and nobody came to meet her there",
            [
                "It was late in the evening when the train",
                "arrived and nobody came to meet her there",
            ],
        ),
    ],
)
def test_a_cue_that_must_end_ends_with_a_sentence_else_with_a_clause(
    text: str, lines: list[str]
) -> None:
    made = cues([said(f"{text} at all", 0, 6.5)], names_in_line=False)
    assert texts(made)[0] == lines


def test_an_early_end_of_a_sentence_does_not_leave_a_scrap() -> None:
    text = "Yes. It was late in the evening when the train arrived and nobody had come to meet her"
    made = cues([said(text, 0, 6.5)], names_in_line=False)
    assert texts(made)[0][0].startswith("Yes. It was late")


def test_nothing_is_shown_for_longer_than_seven_seconds() -> None:
    made = cues([said("one two three four", 0, 40)], names_in_line=False)
    assert len(made) > 1
    (only,) = cues([said("Ooooh", 5, 40)], names_in_line=False)
    assert (only.start, only.end) == (5_000, 12_000)


def test_a_short_cue_stays_until_it_was_read_or_the_next_one_comes() -> None:
    made = cues([said("Hm", 1, 1), said("Yes", 1.4, 1.5), said("No", 9, 9)], names_in_line=False)
    assert [(cue.start, cue.end) for cue in made] == [(1000, 1400), (1400, 2400), (9000, 10000)]
    made = cues([said("Hm", 1, 1), said("Yes", 1, 1)], names_in_line=False)
    assert [(cue.start, cue.end) for cue in made] == [(1000, 1001), (1000, 2000)]


def test_speakers_at_the_same_time_have_cues_by_their_start() -> None:
    made = cues(
        [said("one two three four five six", 0, 30, "A"), said("yes", 8, 9, "B")],
        names_in_line=False,
    )
    assert [cue.speaker for cue in made[:3]] == ["A", "A", "B"]


def test_chinese_takes_two_columns_a_sign() -> None:
    (cue,) = cues([said("世" * 40, 0, 6)], names_in_line=False)
    assert cue.lines == ["世" * 20, "世" * 20]


@pytest.mark.parametrize("name", ["Anna", "A" * 100])
def test_a_name_takes_its_room_in_the_first_line(name: str) -> None:
    text = "and so we met again at the old station in the small town by the sea"
    (first, *_) = cues([said(text, 0, 6, name)], names_in_line=True)
    assert width(first.lines[0]) <= 42 - min(len(name) + 2, 21)
