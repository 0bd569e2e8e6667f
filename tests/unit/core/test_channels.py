"""Channels side by side: nobody is lost, no two speakers share a label, and all is in order."""

from collections.abc import Callable

import pytest
from hypothesis import given, strategies as st
from msgspec.structs import replace

from onprem.core.channels import side_by_side
from onprem.core.merge import assign_speakers, join_turns
from onprem.core.speech import (
    Analysis,
    FrameScores,
    ModelRef,
    Segment,
    SpeakerScores,
    Turn,
    Word,
)

ENGINE = {"diarization": ModelRef("fake", "0" * 64)}
SPEAKERS = ["SPEAKER_00", "SPEAKER_01", "SPEAKER_02"]
TENTHS = st.integers(0, 300).map(lambda number: number / 10)


def segment(number: int, start: float, end: float) -> Segment:
    return Segment(
        id=number,
        seek=0,
        start=start,
        end=end,
        text=" word",
        tokens=[1],
        temperature=0.0,
        avg_logprob=-0.1,
        compression_ratio=1.0,
        no_speech_prob=0.0,
    )


@st.composite
def analyses(draw: st.DrawFn) -> Analysis:
    """One channel's: labels by appearance, words inside the turns, in order."""
    spans = sorted(draw(st.lists(st.tuples(TENTHS, TENTHS), min_size=1, max_size=6)))
    end, spoken = 0.0, []
    for gap, length in spans:
        spoken.append((end + gap, end + gap + length + 0.1))
        end = spoken[-1][1]
    speakers = [draw(st.sampled_from(SPEAKERS)) for _ in spoken]
    turns = [
        Turn(speaker, start, stop, dict.fromkeys(speakers, 50))
        for speaker, (start, stop) in zip(speakers, spoken, strict=True)
    ]
    scores = draw(st.lists(st.integers(0, 100), max_size=5))
    return Analysis(
        turns=turns,
        exclusive=turns,
        confidence=FrameScores(scores, 0.02),
        speech_probability=FrameScores(scores, 0.02),
        speaker_probability=SpeakerScores(dict.fromkeys(speakers, scores), 0.02),
        voices={"campplus": {speaker: [1.0, 0.0] for speaker in speakers}},
        words=[
            Word(start, stop, f" {speaker}")
            for speaker, (start, stop) in zip(speakers, spoken, strict=True)
        ],
        segments=[segment(number, *span) for number, span in enumerate(spoken)],
        engine=ENGINE,
    )


CHANNELS = st.lists(st.none() | analyses(), min_size=1, max_size=4).filter(any)


@given(CHANNELS)
def test_every_turn_is_there_once_with_its_channel(channels: list[Analysis | None]) -> None:
    merged = side_by_side(channels)
    for index, found in enumerate(channels):
        own = [turn for turn in merged.turns if turn.channel == index]
        assert [(turn.start, turn.end) for turn in own] == [
            (turn.start, turn.end) for turn in (found.turns if found else [])
        ]
    assert merged.turns == sorted(merged.turns, key=lambda turn: turn.start)


@given(CHANNELS)
def test_labels_are_numbered_by_appearance_and_stay_apart(
    channels: list[Analysis | None],
) -> None:
    merged = side_by_side(channels)
    seen = list(dict.fromkeys(turn.speaker for turn in merged.turns))
    assert sorted(seen) == [f"SPEAKER_{number:02}" for number in range(len(seen))]
    first = {speaker: merged.turns[0].start for speaker in seen}
    for turn in reversed(merged.turns):
        first[turn.speaker] = turn.start
    assert [first[speaker] for speaker in sorted(seen)] == sorted(first.values())

    was: dict[str, tuple[int | None, str]] = {}
    for index, found in enumerate(channels):
        own = [turn for turn in merged.turns if turn.channel == index]
        for turn, before in zip(own, found.turns if found else [], strict=True):
            assert was.setdefault(turn.speaker, (index, before.speaker)) == (index, before.speaker)
            assert turn.confidence and before.confidence
            assert len(turn.confidence) == len(before.confidence)
    assert len(set(was.values())) == len(was)


@given(CHANNELS)
def test_words_keep_the_speakers_of_their_own_channel(channels: list[Analysis | None]) -> None:
    merged = side_by_side(channels)
    assert merged.words is not None
    together = assign_speakers(merged.words, merged.exclusive)
    assert [word.start for word in together] == sorted(word.start for word in together)
    for index, found in enumerate(channels):
        if found is None:
            continue
        alone = assign_speakers(found.words or [], found.exclusive)
        own = [word for word in together if word.channel == index]
        assert [(word.start, word.text) for word in own] == [
            (word.start, word.text) for word in alone
        ]
        renamed = {(mine.speaker, theirs.speaker) for mine, theirs in zip(own, alone, strict=True)}
        assert len(renamed) == len({mine for mine, _ in renamed})
        assert len(renamed) == len({theirs for _, theirs in renamed})


@given(CHANNELS)
def test_joined_turns_are_those_of_the_channels_alone(channels: list[Analysis | None]) -> None:
    """Who talks at the same time on another channel breaks up no turn."""
    merged = side_by_side(channels)
    joined = join_turns(assign_speakers(merged.words or [], merged.exclusive))
    assert [turn.start for turn in joined] == sorted(turn.start for turn in joined)
    for index, found in enumerate(channels):
        alone = join_turns(assign_speakers(found.words or [], found.exclusive)) if found else []
        assert [(turn.start, turn.end, turn.text) for turn in joined if turn.channel == index] == [
            (turn.start, turn.end, turn.text) for turn in alone
        ]


@given(CHANNELS)
def test_scores_and_voices_belong_to_the_new_labels(channels: list[Analysis | None]) -> None:
    merged = side_by_side(channels)
    speakers = {turn.speaker for turn in merged.turns}
    assert merged.speaker_probability is not None
    assert merged.speaker_probability.score.keys() == speakers
    assert merged.voices["campplus"].keys() == speakers
    heard = [found for found in channels if found]
    scores = [found.confidence.score for found in heard if found.confidence]
    assert merged.confidence and merged.speech_probability
    assert len(merged.confidence.score) == max(map(len, scores))
    for moment, least in enumerate(merged.confidence.score):
        there = [score[moment] for score in scores if moment < len(score)]
        assert least == min(there)
        assert merged.speech_probability.score[moment] == max(there)


@given(CHANNELS)
def test_segments_are_numbered_in_the_order_of_time(channels: list[Analysis | None]) -> None:
    segments = side_by_side(channels).segments
    assert segments is not None
    assert [each.id for each in segments] == list(range(len(segments)))
    assert [each.start for each in segments] == sorted(each.start for each in segments)
    assert len(segments) == sum(len(found.segments or []) for found in channels if found)


def channel(*turns: Turn, **more: object) -> Analysis:
    return replace(Analysis(turns=[*turns], exclusive=[*turns], engine=ENGINE), **more)


def test_who_speaks_first_is_the_first_on_whatever_channel() -> None:
    left = channel(Turn("SPEAKER_00", 2.0, 3.0), Turn("SPEAKER_01", 4.0, 5.0))
    right = channel(Turn("SPEAKER_00", 1.0, 2.5))
    assert side_by_side([left, None, right]).turns == [
        Turn("SPEAKER_00", 1.0, 2.5, channel=2),
        Turn("SPEAKER_01", 2.0, 3.0, channel=0),
        Turn("SPEAKER_02", 4.0, 5.0, channel=0),
    ]


def test_a_word_said_while_the_other_side_talks_stays_with_its_side() -> None:
    left = channel(Turn("SPEAKER_00", 0.0, 9.0), words=[Word(4.0, 5.0, " left")])
    right = channel(Turn("SPEAKER_00", 1.0, 2.0), words=[Word(4.1, 4.9, " right")])
    merged = side_by_side([left, right])
    assert merged.words == [Word(4.0, 5.0, " left", 0), Word(4.1, 4.9, " right", 1)]
    spoken = assign_speakers(merged.words, merged.exclusive)
    assert [word.speaker for word in spoken] == ["SPEAKER_00", "SPEAKER_01"]


def test_what_was_not_asked_for_is_not_there() -> None:
    merged = side_by_side([channel(Turn("SPEAKER_00", 0.0, 1.0)), None])
    assert merged == Analysis(
        turns=[Turn("SPEAKER_00", 0.0, 1.0, channel=0)],
        exclusive=[Turn("SPEAKER_00", 0.0, 1.0, channel=0)],
        engine=ENGINE,
    )


def test_a_speaker_without_a_turn_is_numbered_last() -> None:
    left = channel(Turn("SPEAKER_01", 0.0, 1.0), voices={"m": {"SPEAKER_00": [1.0]}})
    right = channel(Turn("SPEAKER_00", 1.0, 2.0))
    assert side_by_side([left, right]).voices == {"m": {"SPEAKER_02": [1.0]}}


@pytest.mark.parametrize(
    ("left", "right", "language"),
    [
        (["en", 2], ["de", 1], "en"),
        (["en", 1], ["de", 2], "de"),
        (["en", 1], ["de", 1], "en"),
    ],
)
def test_the_language_is_the_one_with_the_most_words(
    left: list[object], right: list[object], language: str
) -> None:
    def said(spoken: object, count: int) -> Analysis:
        words = [Word(0.0, 1.0, " word")] * count
        return channel(Turn("SPEAKER_00", 0.0, 1.0), words=words, language=spoken)

    assert side_by_side([said(*left), said(*right)]).language == language  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("channels", "shown"),
    [
        (lambda warned, quiet: [warned], ["One."]),
        (lambda warned, quiet: [warned, warned], ["One."]),
        (lambda warned, quiet: [quiet, warned], ["Channel 1: One."]),
        (lambda warned, quiet: [warned, None, warned], ["Channel 0, 2: One."]),
    ],
)
def test_a_warning_names_its_channels_unless_it_is_about_all(
    channels: Callable[[Analysis, Analysis], list[Analysis | None]], shown: list[str]
) -> None:
    quiet = channel(Turn("SPEAKER_00", 0.0, 1.0))
    assert side_by_side(channels(replace(quiet, warnings=["One."]), quiet)).warnings == shown
