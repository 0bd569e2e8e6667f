"""What the segmentation believed, window by window, and its mean at each moment.

The segmentation looks at the recording through windows of 10 s that begin every second, so it
judges each moment about ten times. In each window it gives a probability to each set of at most
two of three local speakers. Of these probabilities are kept, for each frame of each window:

- `decision`: the highest one, that of the set that was decided on;
- `speech`: 1 - P(the empty set);
- `crosstalk`: the sum over the sets of two speakers or more;
- `activity`: for each local speaker, the sum over the sets that hold it.

All scores are means of one of these over the windows that saw a moment, told in percent.
"""

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

RESOLUTION = 0.02

Array: TypeAlias = npt.NDArray[np.floating]
Quantity: TypeAlias = Literal["decision", "speech", "crosstalk", "activity"]


class Grid(NamedTuple):
    """Where frames lie: frame i has its middle at `middle` + i * `step` seconds."""

    middle: float
    step: float

    def nearest(self, time: float) -> int:
        """The frame nearest to a time in seconds."""
        return max(0, round((time - self.middle) / self.step))

    def at_resolution(self, scores: Array, duration: float) -> Array:
        """(frames, ...) -> one row every 20 ms of the `duration` seconds."""
        count = int(np.ceil(duration / RESOLUTION))
        times = (np.arange(count) + 0.5) * RESOLUTION
        frames = np.rint((times - self.middle) / self.step).astype(int)
        rows: Array = scores[np.clip(frames, 0, len(scores) - 1)]
        return rows


class Posteriors(NamedTuple):
    """What was kept of one recording.

    `kept`: (windows, frames) by quantity; activity is (windows, frames, local speakers).
    `clusters`: (windows, local speakers) the recording's speaker, negative for none.
    `speakers`: the cluster of each speaker label.
    """

    kept: dict[Quantity, Array]
    clusters: npt.NDArray[np.integer]
    speakers: dict[str, int]
    window_step: float
    grid: Grid

    def mean(self, quantity: Quantity) -> Array:
        """(frames,) of a quantity other than activity, averaged over the windows."""
        windows = self.kept[quantity]
        return self._averaged((one[:, np.newaxis] for one in windows), windows.shape, 1)[:, 0]

    def mean_activity(self, labels: list[str]) -> Array:
        """(frames, labels): the probability that each speaker speaks.

        It is that of the local speaker whom the clustering took for this one, and 0 in windows
        that lack the speaker.
        """
        columns = np.array([self.speakers[label] for label in labels])
        return self._averaged(self._by_speaker(columns), self.kept["activity"].shape, len(labels))

    def _by_speaker(self, columns: npt.NDArray[np.integer]) -> Iterator[Array]:
        """(frames, speakers) of each window; of a cluster's two local speakers the surer counts."""
        for activity, clusters in zip(self.kept["activity"], self.clusters, strict=True):
            belongs = clusters[:, np.newaxis] == columns
            yield (activity[:, :, np.newaxis] * belongs).max(axis=1)

    def _averaged(self, windows: Iterable[Array], shape: tuple[int, ...], columns: int) -> Array:
        count, frames = shape[:2]
        first = [
            self.grid.nearest(window * self.window_step + self.grid.middle)
            for window in range(count)
        ]
        total = np.zeros((first[-1] + frames, columns), dtype=np.float32)
        times = np.zeros((first[-1] + frames, 1), dtype=np.float32)
        for begin, window in zip(first, windows, strict=True):
            total[begin : begin + frames] += window
            times[begin : begin + frames] += 1
        return total / np.maximum(times, 1)


def percent(scores: Array) -> list[int]:
    """Probabilities as 0..100."""
    return [int(score) for score in np.clip(np.rint(100 * scores), 0, 100)]
