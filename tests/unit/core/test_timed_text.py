"""Words keep their times in the text that they make, and in a text that was corrected."""

import msgspec
import pytest
from hypothesis import given, settings, strategies as st

from onprem.core.merge import TranscribedTurn
from onprem.core.speech import SpokenWord
from onprem.core.timed_text import Piece, clean, retimed, split, spread, timed, width, words_by_turn
from tests.support.outputs import outputs


class Stored(msgspec.Struct, rename="camel"):
    word_level_transcription: list[SpokenWord]
    turn_level_transcription: list[TranscribedTurn]


def letters(*texts: str) -> str:
    return "".join("".join(texts).split())


def said(text: str, *spans: tuple[float, float]) -> list[SpokenWord]:
    return [
        SpokenWord(start, end, word, "A")
        for word, (start, end) in zip(text.split(), spans, strict=True)
    ]


@settings(deadline=None)
@given(outputs())
def test_every_word_belongs_to_one_turn_and_makes_its_text(output: bytes) -> None:
    stored = msgspec.json.decode(output, type=Stored)
    turns, words = stored.turn_level_transcription, stored.word_level_transcription
    owners = words_by_turn(turns, words)
    owned = [position for mine in owners for position in mine]
    assert sorted(owned) == sorted(set(owned))
    assert not letters(*(words[left].text for left in {*range(len(words))} - {*owned}))
    for turn, mine in zip(turns, owners, strict=True):
        assert letters(*(words[position].text for position in mine)) == letters(turn.text)
        assert all(words[position].speaker == turn.speaker for position in mine)


@settings(deadline=None)
@given(outputs())
def test_pieces_make_the_text_and_keep_the_times_of_words(output: bytes) -> None:
    stored = msgspec.json.decode(output, type=Stored)
    turns, words = stored.turn_level_transcription, stored.word_level_transcription
    for turn, mine in zip(turns, words_by_turn(turns, words), strict=True):
        own = [words[position] for position in mine]
        pieces = timed(turn, own)
        shown = "".join(" " * piece.spaced + piece.text for piece in pieces)
        assert clean(shown) == clean(turn.text)
        times = [time for piece in pieces for time in (piece.start, piece.end)]
        assert times == sorted(times)
        assert {piece.start for piece in pieces} >= {
            word.start for word in own[:1] if clean(word.text)
        }


def test_words_that_are_not_those_of_the_text_share_out_its_time() -> None:
    turn = TranscribedTurn(10.0, 12.0, "good day", "A")
    for others in ("good", "good night", "good day all", "day good"):
        words = [SpokenWord(0.0, 1.0, word, "A") for word in others.split()]
        assert timed(turn, words) == [
            Piece("good", 10.0, 11.143),
            Piece("day", 11.143, 12.0),
        ]


def test_punctuation_clings_to_the_word_before() -> None:
    turn = TranscribedTurn(0.0, 3.0, "你好。twenty-five", "A")
    words = [
        SpokenWord(0.0, 1.0, "你好", "A"),
        SpokenWord(1.0, 1.5, "。", "A"),
        SpokenWord(2.0, 2.5, "twenty", "A"),
        SpokenWord(2.5, 3.0, "-five", "A"),
    ]
    assert timed(turn, words) == [
        Piece("你", 0.0, 0.5, spaced=False),
        Piece("好。", 0.5, 1.5, spaced=False),
        Piece("twenty", 2.0, 2.5, spaced=False),
        Piece("-five", 2.5, 3.0, spaced=False),
    ]


@given(st.text())
def test_clean_is_one_line_that_stays_as_it_is(text: str) -> None:
    line = clean(text)
    assert len(line.splitlines()) <= 1
    assert line == line.strip() == clean(line)
    assert "\x00" not in line and "  " not in line


@given(st.text())
def test_split_loses_nothing(text: str) -> None:
    pieces = split(text)
    assert clean("".join(" " * piece.spaced + piece.text for piece in pieces)) == clean(text)
    assert all(piece.text for piece in pieces)


@pytest.mark.parametrize(
    ("text", "columns"), [("", 0), ("abc", 3), ("你好", 4), ("e\u0301", 1), ("ｱ", 1), ("。", 2)]
)
def test_width(text: str, columns: int) -> None:
    assert width(text) == columns


@given(st.lists(st.text("abc", min_size=1, max_size=5)), st.floats(0, 1e5), st.floats(0, 100))
def test_spread_fills_the_time_in_order(words: list[str], start: float, length: float) -> None:
    pieces = spread([Piece(word, 0, 0) for word in words], start, start + length)
    assert [piece.text for piece in pieces] == words
    times = [start, *(time for piece in pieces for time in (piece.start, piece.end))]
    assert times == sorted(times)
    assert not pieces or pieces[-1].end == pytest.approx(start + length, abs=0.001)


OLD = said("I not like it much", (0, 1), (1, 2), (2, 3), (3, 4), (4, 6))


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("I not like it much", [(0, 1), (1, 2), (2, 3), (3, 4), (4, 6)]),
        ("I did like it much", [(0, 1), (1, 2), (2, 3), (3, 4), (4, 6)]),
        ("I do not like it much", [(0, 1), (1, 1), (1, 2), (2, 3), (3, 4), (4, 6)]),
        ("I like it much", [(0, 1), (2, 3), (3, 4), (4, 6)]),
        ("No", [(0, 6)]),
        ("I abcd ef much", [(0, 1), (1, 3), (3, 4), (4, 6)]),
        ("", []),
    ],
)
def test_a_corrected_text_keeps_the_times_of_what_was_right(
    text: str, spans: list[tuple[float, float]]
) -> None:
    turn = TranscribedTurn(0, 6, text, "B")
    again = retimed(OLD, turn)
    assert [(word.start, word.end) for word in again] == [
        (pytest.approx(start), pytest.approx(end)) for start, end in spans
    ]
    assert [word.text for word in again] == text.split()
    assert {word.speaker for word in again} <= {"B"}


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_corrected_text_has_all_its_words_in_order_and_in_time(old: str, new: str) -> None:
    before = spread(split(old), 3.0, 9.0)
    words = [SpokenWord(piece.start, piece.end, piece.text, "A") for piece in before]
    again = retimed(words, TranscribedTurn(3.0, 9.0, new, "A"))
    assert letters(*(word.text for word in again)) == letters(clean(new))
    times = [3.0, *(time for word in again for time in (word.start, word.end)), 9.0]
    assert times == sorted(times)
