"""Scores: a sure segmentation scores high, a doubtful one low, and times fall where they should."""

import numpy as np
import pytest

from onprem.core.speech import Turn
from onprem.engine.confidence import frame_scores, turn_scores
from tests.support.posteriors import FRAMES, posteriors


def test_one_frame_score_every_20_ms_to_the_very_end() -> None:
    scores = frame_scores(posteriors(), duration=3.97)
    assert scores.resolution == 0.02
    assert scores.score == [90] * 199


def test_a_recording_longer_than_its_frames_repeats_the_last() -> None:
    assert len(frame_scores(posteriors(), duration=4.5).score) == 225


def test_windows_that_disagree_are_averaged() -> None:
    decision = np.full((3, FRAMES), 0.5)
    decision[1] = 1.0
    scores = frame_scores(posteriors(decision=decision), duration=4.0).score
    # 0-1 s is seen by the first window alone, 1-2 s by two, the last second by the third.
    assert scores[10] == 50
    assert scores[75] == 75
    assert scores[-1] == 50


def test_a_turn_scores_every_speaker_of_the_recording() -> None:
    activity = np.zeros((3, FRAMES, 2))
    activity[:, :, 0] = 0.96
    activity[:, :, 1] = 0.07
    [score] = turn_scores(posteriors(activity=activity), [Turn("SPEAKER_00", 0.5, 1.5)])
    assert score == {"SPEAKER_00": 96, "SPEAKER_01": 7}


def test_local_speakers_are_mapped_window_by_window() -> None:
    activity = np.zeros((3, FRAMES, 2))
    activity[:, :, 0] = 1.0
    clusters = np.array([[0, 1], [1, 0], [0, -2]])
    given = posteriors(activity=activity, clusters=clusters)
    early, middle = turn_scores(given, [Turn("SPEAKER_00", 0.0, 0.8), Turn("SPEAKER_00", 1.1, 1.8)])
    assert early == {"SPEAKER_00": 100, "SPEAKER_01": 0}
    assert middle == {"SPEAKER_00": 50, "SPEAKER_01": 50}


@pytest.mark.parametrize("turn", [Turn("SPEAKER_00", 3.99, 4.0), Turn("SPEAKER_00", 7.0, 8.0)])
def test_a_turn_at_the_end_still_gets_scores(turn: Turn) -> None:
    [score] = turn_scores(posteriors(), [turn])
    assert set(score) == {"SPEAKER_00", "SPEAKER_01"}


def test_without_turns_there_are_no_scores() -> None:
    assert turn_scores(posteriors(), []) == []
