"""How sure the segmentation is: of its decision at a moment, and of each speaker in a turn.

Frame score: the probability of the set of speakers that was decided on, averaged over the windows.
Turn score of a speaker: the probability that the speaker is speaking, averaged over the windows and
then over the turn. So a low score may mean a doubtful segmentation as well as windows that the
clustering gave to somebody else.
"""

from onprem.core.speech import FrameScores, Turn
from onprem.engine.posteriors import RESOLUTION, Posteriors, percent


def frame_scores(posteriors: Posteriors, duration: float) -> FrameScores:
    """One score (0..100) every 20 ms of the `duration` seconds."""
    scores = posteriors.grid.at_resolution(posteriors.mean("decision"), duration)
    return FrameScores(score=percent(scores), resolution=RESOLUTION)


def turn_scores(posteriors: Posteriors, turns: list[Turn]) -> list[dict[str, int]]:
    """For each turn, the score (0..100) of every speaker of the recording."""
    labels = sorted(posteriors.speakers)
    means = posteriors.mean_activity(labels)
    scores = []
    for turn in turns:
        first = min(posteriors.grid.nearest(turn.start), len(means) - 1)
        last = max(first + 1, posteriors.grid.nearest(turn.end))
        scores.append(dict(zip(labels, percent(means[first:last].mean(axis=0)), strict=True)))
    return scores
