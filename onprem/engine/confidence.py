"""How sure the segmentation is: of its decision at a moment, and of each speaker in a turn.

The segmentation looks at the recording through windows of 10 s that begin every second, so it
judges each moment about ten times. In each window it gives a probability to each set of at most
two of three local speakers.

Frame score: the probability of the set that was decided on, averaged over the windows.
Turn score of a speaker: the probability that the speaker is speaking (the sum over the sets that
hold a local speaker whom the clustering took for this one; 0 in windows that lack the speaker),
averaged over the windows and then over the turn. So a low score may mean a doubtful segmentation
as well as windows that the clustering gave to somebody else.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from onprem.core.speech import FrameScores, Turn

RESOLUTION = 0.02

Array = npt.NDArray[np.floating]


class Grid(NamedTuple):
    """Where frames lie: frame i has its middle at `middle` + i * `step` seconds."""

    middle: float
    step: float

    def nearest(self, time: float) -> int:
        """The frame nearest to a time in seconds."""
        return max(0, round((time - self.middle) / self.step))


class Posteriors(NamedTuple):
    """What the segmentation said of each window.

    `decision`: (windows, frames) probability of the set that was decided on.
    `activity`: (windows, frames, local speakers) probability that each is speaking.
    `clusters`: (windows, local speakers) the recording's speaker, negative for none.
    `speakers`: the cluster of each speaker label.
    """

    decision: Array
    activity: Array
    clusters: npt.NDArray[np.integer]
    speakers: dict[str, int]
    window_step: float
    grid: Grid


def frame_scores(posteriors: Posteriors, duration: float) -> FrameScores:
    """One score (0..100) every 20 ms of the `duration` seconds."""
    means = _averaged((one[:, np.newaxis] for one in posteriors.decision), 1, posteriors)[:, 0]
    count = int(np.ceil(duration / RESOLUTION))
    times = (np.arange(count) + 0.5) * RESOLUTION
    frames = np.rint((times - posteriors.grid.middle) / posteriors.grid.step).astype(int)
    scores = means[np.clip(frames, 0, len(means) - 1)]
    return FrameScores(score=_percent(scores), resolution=RESOLUTION)


def turn_scores(posteriors: Posteriors, turns: list[Turn]) -> list[dict[str, int]]:
    """For each turn, the score (0..100) of every speaker of the recording."""
    labels = sorted(posteriors.speakers)
    columns = [posteriors.speakers[label] for label in labels]
    means = _averaged(_by_speaker(posteriors, columns), len(columns), posteriors)
    scores = []
    for turn in turns:
        first = min(posteriors.grid.nearest(turn.start), len(means) - 1)
        last = max(first + 1, posteriors.grid.nearest(turn.end))
        scores.append(dict(zip(labels, _percent(means[first:last].mean(axis=0)), strict=True)))
    return scores


def _by_speaker(posteriors: Posteriors, columns: list[int]) -> Iterator[Array]:
    """(frames, speakers) of each window; of two local speakers in a cluster, the surer counts."""
    for activity, clusters in zip(posteriors.activity, posteriors.clusters, strict=True):
        belongs = clusters[:, np.newaxis] == np.array(columns)
        yield (activity[:, :, np.newaxis] * belongs).max(axis=1)


def _averaged(windows: Iterable[Array], columns: int, posteriors: Posteriors) -> Array:
    """(frames, columns) of each window -> (all frames, columns): the mean over the windows."""
    count, frames = posteriors.decision.shape
    grid, step = posteriors.grid, posteriors.window_step
    first = [grid.nearest(window * step + grid.middle) for window in range(count)]
    total = np.zeros((first[-1] + frames, columns), dtype=np.float32)
    times = np.zeros((first[-1] + frames, 1), dtype=np.float32)
    for begin, window in zip(first, windows, strict=True):
        total[begin : begin + frames] += window
        times[begin : begin + frames] += 1
    return total / np.maximum(times, 1)


def _percent(scores: Array) -> list[int]:
    return [int(score) for score in np.clip(np.rint(100 * scores), 0, 100)]
