"""Probabilities: the mean over the windows that saw a moment, on one frame axis."""

import numpy as np
import pytest

from onprem.engine.confidence import frame_scores
from onprem.engine.posteriors import Grid
from onprem.engine.probabilities import (
    crosstalk_probability,
    speaker_probability,
    speech_probability,
)
from tests.support.posteriors import FRAMES, posteriors


def test_windows_that_disagree_are_averaged() -> None:
    speech, crosstalk = np.zeros((2, 3, FRAMES))
    speech[1], crosstalk[2] = 1.0, 0.5
    given = posteriors(speech=speech, crosstalk=crosstalk)
    # Each window begins a second after the one before and lasts two.
    assert [speech_probability(given, 4.0).score[at] for at in (10, 75, 125, 175)] == [0, 50, 50, 0]
    assert [crosstalk_probability(given, 4.0).score[at] for at in (75, 125, 175)] == [0, 25, 50]


def test_a_speaker_is_followed_through_the_windows() -> None:
    activity = np.zeros((3, FRAMES, 2))
    activity[:, :, 0] = 0.8
    given = posteriors(activity=activity, clusters=np.array([[0, 1], [1, 0], [-2, 1]]))
    found = speaker_probability(given, 4.0)
    assert found.resolution == 0.02
    assert [found.score["SPEAKER_00"][at] for at in (10, 75, 125, 175)] == [80, 40, 0, 0]
    assert [found.score["SPEAKER_01"][at] for at in (10, 75, 125, 175)] == [0, 40, 40, 0]


def test_two_local_speakers_taken_for_one_count_once() -> None:
    activity = np.full((3, FRAMES, 2), 0.7)
    found = speaker_probability(posteriors(activity=activity, clusters=np.zeros((3, 2), int)), 2.0)
    assert set(found.score["SPEAKER_00"]) == {70}
    assert set(found.score["SPEAKER_01"]) == {0}


@pytest.mark.parametrize("duration", [0.01, 1.234, 3.97, 4.5])
def test_all_share_one_frame_axis(duration: float) -> None:
    given = posteriors()
    speakers = speaker_probability(given, duration)
    scores = [frame_scores(given, duration), speech_probability(given, duration)]
    scores.append(crosstalk_probability(given, duration))
    lengths = {len(one.score) for one in scores} | {len(one) for one in speakers.score.values()}
    assert lengths == {int(np.ceil(duration / 0.02))}
    assert {one.resolution for one in (*scores, speakers)} == {0.02}


def test_a_score_is_that_of_the_nearest_frame() -> None:
    rows = np.arange(5)
    grid = Grid(middle=0.1, step=0.2)
    assert grid.at_resolution(rows, 1.0)[[0, 9, 10, 49]].tolist() == [0, 0, 1, 4]
