"""Words and turns: each word gets one speaker who was there, and no text is lost."""

import pytest
from hypothesis import given, strategies as st

from onprem.core import merge
from onprem.core.merge import TranscribedTurn, assign_speakers, join_turns
from onprem.core.speech import SpokenWord, Turn, Word

GAPS = st.integers(0, 300).map(lambda number: number / 100)
LENGTHS = st.integers(1, 500).map(lambda number: number / 100)
SPEAKERS = st.sampled_from(["SPEAKER_00", "SPEAKER_01", "SPEAKER_02"])


@st.composite
def exclusive_turns(draw: st.DrawFn) -> list[Turn]:
    """Turns without overlap, in any order."""
    end, turns = 0.0, []
    for gap, length, speaker in draw(
        st.lists(st.tuples(GAPS, LENGTHS, SPEAKERS), min_size=1, max_size=12)
    ):
        turns.append(Turn(speaker, end + gap, end + gap + length))
        end = end + gap + length  # summed as above: a float more or less would be an overlap
    return draw(st.permutations(turns))


@st.composite
def words(draw: st.DrawFn) -> list[Word]:
    end, spoken = 0.0, []
    for gap, length, text in draw(
        st.lists(st.tuples(GAPS, LENGTHS, st.text("abc ", min_size=1, max_size=4)), max_size=20)
    ):
        spoken.append(Word(end + gap, end + gap + length, text))
        end = end + gap + length  # summed as above: a float more or less would be an overlap
    return spoken


def overlap(word: Word, turn: Turn) -> float:
    return min(word.end, turn.end) - max(word.start, turn.start)


@given(words(), exclusive_turns())
def test_every_word_gets_the_speaker_of_the_turn_that_it_overlaps_most(
    spoken: list[Word], turns: list[Turn]
) -> None:
    labelled = assign_speakers(spoken, turns)
    assert [(each.start, each.end, each.text) for each in labelled] == [
        (word.start, word.end, word.text) for word in spoken
    ]
    for word, each in zip(spoken, labelled, strict=True):
        most = max(overlap(word, turn) for turn in turns)
        best = {turn.speaker for turn in turns if overlap(word, turn) >= most - 1e-9}
        assert each.speaker in best


@given(words(), exclusive_turns())
def test_texts_join_in_order_and_none_is_lost(spoken: list[Word], turns: list[Turn]) -> None:
    joined = join_turns(assign_speakers(spoken, turns))
    said = "".join(word.text for word in spoken).replace(" ", "")
    assert "".join(turn.text for turn in joined).replace(" ", "") == said


@given(words(), exclusive_turns())
def test_joined_turns_are_in_order_and_hold_their_words(
    spoken: list[Word], turns: list[Turn]
) -> None:
    joined = join_turns(assign_speakers(spoken, turns))
    times = [time for turn in joined for time in (turn.start, turn.end)]
    assert times == sorted(times)
    assert all(turn.start < turn.end for turn in joined)
    for word in spoken:
        assert any(turn.start <= word.start and word.end <= turn.end for turn in joined)


@given(words(), exclusive_turns())
def test_neighbours_of_one_speaker_stay_apart_only_for_a_pause(
    spoken: list[Word], turns: list[Turn]
) -> None:
    joined = join_turns(assign_speakers(spoken, turns))
    for before, after in zip(joined, joined[1:], strict=False):
        assert before.speaker != after.speaker or after.start - before.end > 1.0


def test_without_turns_there_are_no_words() -> None:
    assert assign_speakers([Word(0, 1, "hello")], []) == []
    assert join_turns([]) == []


@pytest.mark.parametrize(
    ("start", "end", "speaker"),
    [
        (0.0, 0.5, "A"),
        (0.8, 1.3, "B"),
        (0.4, 1.1, "A"),
        (2.1, 2.2, "B"),
        (3.8, 3.9, "C"),
        (9.0, 9.5, "C"),
        (0.5, 2.0, "B"),
        (1.5, 1.5, "B"),
    ],
)
def test_a_word_goes_where_most_of_it_lies_or_to_the_nearest(
    start: float, end: float, speaker: str
) -> None:
    turns = [Turn("C", 4, 4.5), Turn("A", 0, 1), Turn("B", 1, 2.0)]
    assert assign_speakers([Word(start, end, "x")], turns) == [SpokenWord(start, end, "x", speaker)]


def test_a_turn_is_one_text() -> None:
    words = [
        SpokenWord(0.0, 0.4, " Good", "A"),
        SpokenWord(0.5, 0.9, " morning,", "A"),
        SpokenWord(1.0, 1.4, " hi", "B"),
        SpokenWord(3.0, 3.4, " there", "B"),
    ]
    assert join_turns(words) == [
        TranscribedTurn(0.0, 0.9, "Good morning,", "A"),
        TranscribedTurn(1.0, 1.4, "hi", "B"),
        TranscribedTurn(3.0, 3.4, "there", "B"),
    ]


def test_looking_for_a_word_s_speaker_looks_at_a_few_turns_only() -> None:
    class Watched(list[Turn]):
        looks = 0

        def __getitem__(self, index):  # type: ignore[no-untyped-def]
            self.looks += len(range(*index.indices(len(self)))) if isinstance(index, slice) else 1
            return super().__getitem__(index)

        def __iter__(self):  # type: ignore[no-untyped-def]
            return (self[index] for index in range(len(self)))

    turns = Watched(Turn(f"SPEAKER_{second % 2}", second, second + 1.0) for second in range(10_000))
    ends = [turn.end for turn in turns]
    turns.looks = 0
    for second in (0, 1, 5_000, 9_999):
        word = Word(second + 0.1, second + 0.9, "")
        assert merge._speaker_of(word, turns, ends) == f"SPEAKER_{second % 2}"
    assert turns.looks <= 4 * 4
