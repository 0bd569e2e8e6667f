"""What a segmentation may have believed: three windows of 2 s, one every second."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from onprem.engine.posteriors import Grid, Posteriors

GRID = Grid(middle=0.0, step=0.1)
FRAMES = 20
WINDOWS = 3


def posteriors(clusters: NDArray[np.integer] | None = None, **kept: NDArray[Any]) -> Posteriors:
    """`kept` by quantity; where nothing is said, the decision is 90 % sure and nobody speaks."""
    everything = {
        "decision": np.full((WINDOWS, FRAMES), 0.9),
        "speech": np.zeros((WINDOWS, FRAMES)),
        "crosstalk": np.zeros((WINDOWS, FRAMES)),
        "activity": np.zeros((WINDOWS, FRAMES, 2)),
        **kept,
    }
    return Posteriors(
        kept=everything,  # type: ignore[arg-type]
        clusters=np.array([[0, 1]] * WINDOWS) if clusters is None else clusters,
        speakers={"SPEAKER_00": 0, "SPEAKER_01": 1},
        window_step=1.0,
        grid=GRID,
    )
