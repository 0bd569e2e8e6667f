"""Error rates against numbers that were computed by hand."""

import os
import subprocess
import sys

import pytest

from onprem.core.speech import Turn
from onprem.engine.scoring import score_diarization, score_transcription

EXPECTED = [Turn("Anna", 0.0, 10.0), Turn("Bea", 10.0, 20.0)]


def test_the_same_turns_under_other_names() -> None:
    produced = [Turn("SPEAKER_01", 0.0, 10.0), Turn("SPEAKER_00", 10.0, 20.0)]
    score = score_diarization(EXPECTED, produced, duration=25.0)
    assert (score.der, score.expected, score.scored_until) == (0.0, 20.0, 25.0)
    assert (score.collar, score.overlap_scored) == (0.0, True)


def test_each_kind_of_error() -> None:
    # 0-1 missed, 10-12 said to be Anna, 20-23 nobody: (1 + 2 + 3) / 20
    produced = [Turn("A", 1.0, 12.0), Turn("B", 12.0, 23.0)]
    score = score_diarization(EXPECTED, produced, duration=30.0)
    assert (score.missed, score.confusion, score.false_alarm) == (1.0, 2.0, 3.0)
    assert score.der == pytest.approx(0.3)


def test_a_collar_forgives_boundaries() -> None:
    # Half a second around 0, 10 and 20 is left out: of 20 s expected, 0.25 + 0.5 + 0.25 s.
    produced = [Turn("A", 0.2, 10.2), Turn("B", 10.2, 20.0)]
    strict = score_diarization(EXPECTED, produced, duration=20.0)
    assert strict.der == pytest.approx((0.2 + 0.2) / 20)
    lenient = score_diarization(EXPECTED, produced, duration=20.0, collar=0.5)
    assert (lenient.der, lenient.expected, lenient.collar) == (0.0, pytest.approx(19.0), 0.5)


def test_overlap_is_scored() -> None:
    # 8-10 both speak: 12 + 10 speaker seconds are expected, and 2 of them missed.
    expected = [Turn("Anna", 0.0, 10.0), Turn("Bea", 8.0, 20.0)]
    produced = [Turn("A", 0.0, 8.0), Turn("B", 8.0, 20.0)]
    score = score_diarization(expected, produced, duration=20.0)
    assert (score.expected, score.missed) == (22.0, 2.0)
    assert score.der == pytest.approx(2 / 22, abs=1e-6)


def test_a_speaker_on_two_channels_counts_once() -> None:
    expected = [Turn("Anna", 0.0, 10.0)]
    produced = [Turn("A", 0.0, 6.0, channel=0), Turn("A", 4.0, 10.0, channel=1)]
    assert score_diarization(expected, produced, duration=10.0).der == 0.0


def test_turns_behind_the_end_count() -> None:
    produced = [*EXPECTED, Turn("Anna", 30.0, 31.0)]
    score = score_diarization(EXPECTED, produced, duration=20.0)
    assert (score.false_alarm, score.scored_until) == (1.0, 31.0)


def test_nothing_produced() -> None:
    score = score_diarization(EXPECTED, [], duration=20.0)
    assert (score.der, score.missed) == (1.0, 20.0)


def test_nothing_expected_has_no_rate() -> None:
    score = score_diarization([], EXPECTED, duration=20.0)
    assert (score.der, score.expected, score.false_alarm) == (None, 0.0, 20.0)
    assert score_diarization([], [], duration=0.0).der is None


def test_words() -> None:
    # two is said to be too, five is lost, ten and eleven are new.
    score = score_transcription(
        "One, two, three; four five six seven eight!",
        "one too THREE four six seven eight ten eleven",
    )
    assert (score.substitutions, score.deletions, score.insertions) == (1, 1, 2)
    assert (score.expected_words, score.wer) == (8, 0.5)


def test_no_words() -> None:
    assert score_transcription("Hello there", "").wer == 1.0
    silent = score_transcription(" ... ", "hello")
    assert (silent.wer, silent.expected_words, silent.insertions) == (None, 0, 1)
    assert score_transcription("", "").wer is None


WATCHED = """
import sys
seen = []
OUTWARD = ("socket.", "subprocess.")
sys.addaudithook(lambda event, _: event.startswith(OUTWARD) and seen.append(event))
from onprem.core.speech import Turn
from onprem.engine import scoring
early = "pandas" in sys.modules
scoring.score_diarization([Turn("a", 0.0, 1.0)], [Turn("b", 0.0, 1.0)], duration=1.0)
scoring.score_transcription("a b", "a c")
print(early, "pandas" in sys.modules, "torch" in sys.modules, seen)
"""


def test_scoring_needs_no_torch_and_no_network() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", WATCHED],
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"]},
    )
    assert (done.stdout.strip(), done.stderr) == ("False True False []", "")
