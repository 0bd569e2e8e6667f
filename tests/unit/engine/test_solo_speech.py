"""Where a speaker is alone, and the passages that are embedded."""

import pytest
from hypothesis import given, strategies as st

from onprem.core.speech import Turn
from onprem.core.windows import Window
from onprem.engine.solo_speech import passages, solo_speech

tenths = st.integers(0, 300).map(lambda tenth: tenth / 10)
turns = st.lists(
    st.builds(
        lambda speaker, start, length: Turn(speaker, start, start + length),
        st.sampled_from("ABC"),
        tenths,
        st.integers(1, 80).map(lambda tenth: tenth / 10),
    ),
    max_size=12,
)


def test_overlap_is_nobodys() -> None:
    found = solo_speech([Turn("A", 0, 10), Turn("B", 4, 6), Turn("B", 9, 12), Turn("C", 20, 21)])
    assert found == {"A": [(0, 4), (6, 9)], "B": [(10, 12)], "C": [(20, 21)]}


def test_a_speakers_own_turns_may_touch_and_overlap() -> None:
    assert solo_speech([Turn("A", 0, 2), Turn("A", 2, 3), Turn("A", 2.5, 4)]) == {"A": [(0, 4)]}


def test_who_is_never_alone_has_no_spans() -> None:
    assert solo_speech([Turn("A", 0, 5), Turn("B", 1, 2)]) == {"A": [(0, 1), (2, 5)]}
    assert solo_speech([]) == {}


@given(turns)
def test_at_each_moment_the_only_speaker_is_alone(given_turns: list[Turn]) -> None:
    found = solo_speech(given_turns)
    for moment in (tenth / 10 + 0.05 for tenth in range(400)):
        speaking = {turn.speaker for turn in given_turns if turn.start < moment < turn.end}
        alone = {name for name, spans in found.items() for a, b in spans if a < moment < b}
        assert alone == (speaking if len(speaking) == 1 else set())


def test_too_little_speech_has_no_passage() -> None:
    assert passages([Window(0, 0.2), Window(1, 1.25)]) == []
    assert passages([Window(0, 0.25), Window(1, 1.25)]) == [[(0, 0.25), (1, 1.25)]]


def test_short_spans_join_and_long_ones_are_cut() -> None:
    spans = [Window(0, 2), Window(3, 5), Window(10, 34), Window(40, 41)]
    assert passages(spans) == [
        [(0, 2), (3, 5)],
        [(10, 18)],
        [(18, 26)],
        [(26, 34), (40, 41)],
    ]


def test_a_minute_of_the_longest_spans_is_enough() -> None:
    spans = [Window(100 * index, 100 * index + 4 + index) for index in range(20)]
    taken = [span for passage in passages(spans) for span in passage]
    assert 60 <= sum(end - start for start, end in taken) < 80
    assert min(start for start, _ in taken) == 1700


spans = st.builds(lambda start, length: Window(start, start + length), tenths, st.floats(0.01, 40))


@given(st.lists(spans, max_size=8))
def test_passages_are_neither_short_nor_long(spans: list[Window]) -> None:
    found = passages(spans)
    lengths = [sum(end - start for start, end in passage) for passage in found]
    assert all(length <= 16.0 + 1e-9 for length in lengths)
    assert len(found) < 2 or min(lengths) >= 3.0 - 1e-9
    total = sum(span.end - span.start for span in spans)
    assert sum(lengths) == pytest.approx(total) or sum(lengths) >= 60 - 1e-9 or total < 0.5 + 1e-9
