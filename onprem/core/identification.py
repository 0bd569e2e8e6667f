"""Who of those we know is speaking: scores of voices against voiceprints, and names for speakers.

A score is a calibrated cosine, 0..100, with 50 where the calibration draws the line between one
person and two.
"""

import math
from collections.abc import Mapping, Sequence

import msgspec

from onprem.core.assignment import best_pairs

OPERATING_POINT = 50.0
"""The threshold where a request sets none, or 0: the official SDK sends 0 unless told otherwise."""

_MOST_LOG_ODDS = 50.0
_LEAST_GAIN = 1e-9
"""Of a voice whose score suffices only because scores are whole numbers."""


class Calibration(msgspec.Struct, frozen=True):
    """From cosines to log-odds, for one embedding model: `slope` * (cosine - `midpoint`)."""

    midpoint: float
    slope: float

    def log_odds(self, cosine: float) -> float:
        return self.slope * (cosine - self.midpoint)


class KnownVoice(msgspec.Struct, frozen=True):
    """A voiceprint with the label that its owner gave it. `vector` has length 1."""

    label: str
    model: str
    vector: list[float]


class SpeakerMatch(msgspec.Struct, frozen=True):
    """`confidence` scores all labels, 0..100; `match` is null for a stranger."""

    speaker: str
    match: str | None
    confidence: dict[str, int]


Voices = Mapping[str, Mapping[str, Sequence[float]]]
"""Embedding model: speaker: vector of length 1, as in `Analysis.voices`."""


def identified(
    speakers: Sequence[str],
    voices: Voices,
    known: Sequence[KnownVoice],
    calibrations: Mapping[str, Calibration],
    *,
    threshold: float,
    exclusive: bool,
) -> list[SpeakerMatch]:
    """A match for each of `speakers`, or none: the set is open.

    Labels below `threshold` never match; 0 stands for `OPERATING_POINT`. With `exclusive` a label
    matches one speaker at most, and those matches are taken that together are likeliest; else each
    speaker matches the best label. A speaker without a vector scores 0.
    """
    least = threshold or OPERATING_POINT
    odds = [
        [_log_odds(speaker, voices, voice, calibrations) for voice in known] for speaker in speakers
    ]
    scores = [[_score(each) for each in row] for row in odds]
    # What is shown is what is compared: a score of 50 reaches a threshold of 50.
    gains = [
        [
            _gain(one, least) if score >= least else 0.0
            for one, score in zip(row, shown, strict=True)
        ]
        for row, shown in zip(odds, scores, strict=True)
    ]
    chosen = dict(best_pairs(gains)) if exclusive else _each_best(gains)
    return [
        SpeakerMatch(
            speaker,
            known[chosen[row]].label if row in chosen else None,
            {voice.label: score for voice, score in zip(known, scores[row], strict=True)},
        )
        for row, speaker in enumerate(speakers)
    ]


def _log_odds(
    speaker: str, voices: Voices, known: KnownVoice, calibrations: Mapping[str, Calibration]
) -> float:
    vector = voices.get(known.model, {}).get(speaker)
    if vector is None:
        return -math.inf
    return calibrations[known.model].log_odds(_cosine(vector, known.vector))


def _score(log_odds: float) -> int:
    bounded = max(-_MOST_LOG_ODDS, min(_MOST_LOG_ODDS, log_odds))
    return round(100 / (1 + math.exp(-bounded)))


def _gain(log_odds: float, least: float) -> float:
    """By how much a voice is likelier than it must be; more than 0 where its score suffices."""
    needed = min(least, 99.5) / 100
    margin = log_odds - math.log(needed / (1 - needed))
    return max(margin, _LEAST_GAIN)


def _each_best(gains: Sequence[Sequence[float]]) -> dict[int, int]:
    best = {
        row: max(range(len(each)), key=each.__getitem__) for row, each in enumerate(gains) if each
    }
    return {row: column for row, column in best.items() if gains[row][column] > 0}


def _cosine(one: Sequence[float], other: Sequence[float]) -> float:
    return math.fsum(a * b for a, b in zip(one, other, strict=True))
