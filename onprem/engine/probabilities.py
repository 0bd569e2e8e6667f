"""How probable it is at each moment that anybody, that several, and that a given speaker speaks.

With P the probabilities of the sets of speakers in one window, and means over all windows that saw
the moment:

- speech: mean of 1 - P(the empty set);
- crosstalk: mean of the sum of P over the sets of two speakers or more;
- speaker: mean of the sum of P over the sets that hold the speaker.

So crosstalk and each speaker are never above speech. Frames are those of `confidence`: score i is
that of the 20 ms from i * 0.02 s on.
"""

from onprem.core.speech import FrameScores, SpeakerScores
from onprem.engine.posteriors import RESOLUTION, Posteriors, Quantity, percent


def speech_probability(posteriors: Posteriors, duration: float) -> FrameScores:
    """That somebody speaks."""
    return _of("speech", posteriors, duration)


def crosstalk_probability(posteriors: Posteriors, duration: float) -> FrameScores:
    """That two or more speak at once."""
    return _of("crosstalk", posteriors, duration)


def speaker_probability(posteriors: Posteriors, duration: float) -> SpeakerScores:
    """That each speaker speaks, by label."""
    labels = sorted(posteriors.speakers)
    scores = posteriors.grid.at_resolution(posteriors.mean_activity(labels), duration)
    by_label = {label: percent(scores[:, column]) for column, label in enumerate(labels)}
    return SpeakerScores(score=by_label, resolution=RESOLUTION)


def _of(quantity: Quantity, posteriors: Posteriors, duration: float) -> FrameScores:
    scores = posteriors.grid.at_resolution(posteriors.mean(quantity), duration)
    return FrameScores(score=percent(scores), resolution=RESOLUTION)
