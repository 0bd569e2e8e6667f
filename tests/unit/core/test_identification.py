"""Names for speakers: an open set, thresholds, and each label used once or often."""

import math
from itertools import permutations

import pytest
from hypothesis import given, strategies as st

from onprem.core.identification import Calibration, KnownVoice, SpeakerMatch, identified

CALIBRATION = Calibration(midpoint=0.5, slope=10.0)


def at(cosine: float) -> list[float]:
    """A vector with that cosine to the first axis."""
    return [cosine, math.sqrt(1 - cosine * cosine)]


def known(*labels: str, model: str = "m") -> list[KnownVoice]:
    """Each label along an axis of its own."""
    return [
        KnownVoice(label, model, [float(index == axis) for axis in range(len(labels))])
        for index, label in enumerate(labels)
    ]


def matched(
    voices: dict[str, list[float]],
    labels: list[KnownVoice],
    threshold: float = 0.0,
    exclusive: bool = True,
) -> dict[str, str | None]:
    found = identified(
        sorted(voices),
        {"m": voices},
        labels,
        {"m": CALIBRATION},
        threshold=threshold,
        exclusive=exclusive,
    )
    return {each.speaker: each.match for each in found}


def score(cosine: float) -> int:
    (found,) = identified(
        ["S"],
        {"m": {"S": at(cosine)}},
        known("a", "b")[:1],
        {"m": CALIBRATION},
        threshold=0,
        exclusive=True,
    )
    return found.confidence["a"]


def test_a_score_is_50_at_the_operating_point_and_grows_with_the_cosine() -> None:
    assert score(0.5) == 50
    scores = [score(step / 20) for step in range(-20, 21)]
    assert scores == sorted(scores)
    assert scores[0] == 0 and scores[-1] == 99


def test_a_stranger_has_no_name_and_all_scores() -> None:
    (found,) = identified(
        ["S"],
        {"m": {"S": [0.2, 0.4, 0.894]}},
        known("a", "b", "c")[:2],
        {"m": CALIBRATION},
        threshold=0,
        exclusive=True,
    )
    assert found == SpeakerMatch("S", None, {"a": 5, "b": 27})


@pytest.mark.parametrize(
    ("threshold", "match"), [(0.0, "a"), (49.9, "a"), (50.0, "a"), (50.1, None), (100.0, None)]
)
def test_a_threshold_is_held_against_the_score_that_is_shown(
    threshold: float, match: str | None
) -> None:
    voices = {"S": at(0.4999)}  # 49.97, shown as 50
    labels = known("a", "b")[:1]
    assert matched(voices, labels, threshold) == {"S": match}
    assert matched(voices, labels, threshold, exclusive=False) == {"S": match}


def test_0_is_the_operating_point_and_more_is_taken_as_it_is() -> None:
    voices, labels = {"S": at(0.45)}, known("a", "b")[:1]  # a score of 38
    assert matched(voices, labels, 0.0) == {"S": None}
    assert matched(voices, labels, 30.0) == {"S": "a"}
    assert matched({"S": at(1.0)}, labels, 100.0) == {"S": None}


def test_a_label_matches_one_speaker_the_likeliest() -> None:
    voices = {"S0": at(0.8), "S1": at(0.9)}
    labels = known("a", "b")[:1]
    assert matched(voices, labels) == {"S0": None, "S1": "a"}
    assert matched(voices, labels, exclusive=False) == {"S0": "a", "S1": "a"}


def test_matches_are_those_that_together_are_likeliest() -> None:
    """Greedy would give S0 the label a, for they are nearest of all, and S1 none."""
    voices = {"S0": [0.74, 0.67, 0.06], "S1": [0.7, 0.1, 0.7]}
    assert matched(voices, known("a", "b", "c")[:2]) == {"S0": "b", "S1": "a"}


def test_a_strong_match_is_not_given_up_for_two_weak_ones() -> None:
    voices = {"S0": [0.85, 0.52, 0.085], "S1": [0.52, 0.0, 0.854]}
    assert matched(voices, known("a", "b", "c")[:2]) == {"S0": "a", "S1": None}


def test_who_has_no_vector_matches_nobody() -> None:
    (found,) = identified(
        ["S"], {}, known("a", "b"), {"m": CALIBRATION}, threshold=0.1, exclusive=True
    )
    assert found == SpeakerMatch("S", None, {"a": 0, "b": 0})


def test_each_voiceprint_is_compared_by_the_model_that_made_it() -> None:
    labels = [KnownVoice("a", "m", [1.0, 0.0]), KnownVoice("b", "other", [1.0, 0.0, 0.0])]
    found = identified(
        ["S0", "S1"],
        {"m": {"S0": [1.0, 0.0], "S1": [0.0, 1.0]}, "other": {"S1": [1.0, 0.0, 0.0]}},
        labels,
        {"m": CALIBRATION, "other": Calibration(0.9, 100.0)},
        threshold=0,
        exclusive=True,
    )
    assert [each.match for each in found] == ["a", "b"]
    assert found[1].confidence == {"a": 1, "b": 100}


cosines = st.floats(-1, 1, width=32).map(lambda value: round(value, 3))


@given(
    st.lists(st.tuples(cosines, cosines), min_size=1, max_size=4),
    st.integers(0, 100),
    st.booleans(),
)
def test_no_label_below_the_threshold_and_none_twice(
    pairs: list[tuple[float, float]], threshold: int, exclusive: bool
) -> None:
    voices = {f"S{index}": [*pair, 0.0] for index, pair in enumerate(pairs)}
    found = identified(
        sorted(voices),
        {"m": voices},
        known("a", "b", "c")[:2],
        {"m": CALIBRATION},
        threshold=threshold,
        exclusive=exclusive,
    )
    names = [each.match for each in found if each.match]
    assert all(each.confidence[each.match] >= (threshold or 50) for each in found if each.match)
    if exclusive:
        assert len(names) == len(set(names))
        free = {"a", "b"} - set(names)
        nameless = [each for each in found if each.match is None]
        assert not [
            each
            for each in nameless
            for label in free
            if each.confidence[label] >= (threshold or 50)
        ]
    else:
        for each in found:
            best = max(each.confidence.values())
            assert (each.match is not None) == (best >= (threshold or 50))
            assert each.match is None or each.confidence[each.match] == best


def test_the_order_of_speakers_and_labels_changes_nothing() -> None:
    voices = {"S0": [0.74, 0.6, 0.0], "S1": [0.7, 0.1, 0.0], "S2": [0.1, 0.65, 0.2]}
    results = set()
    for order in permutations(known("a", "b", "c")):
        results.add(tuple(sorted(matched(voices, list(order)).items(), key=str)))
    assert len(results) == 1
