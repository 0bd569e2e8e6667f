"""Error rates: DER by pyannote.metrics, WER by jiwer.

pyannote.metrics takes seconds to import, with all of pandas and scipy, so it is imported when
something is scored. It needs no torch, and neither library opens a connection.
"""

import importlib
from collections.abc import Sequence
from typing import Any

import jiwer

from onprem.core.scores import DiarizationScore, TranscriptionScore, words_of
from onprem.core.speech import Turn
from onprem.engine.quiet import quiet

_DIGITS = 6


def score_diarization(
    expected: Sequence[Turn], produced: Sequence[Turn], *, duration: float, collar: float = 0.0
) -> DiarizationScore:
    """Diarization error rate under the best match of names; overlapping speech is scored.

    `duration` of the recording in seconds, all of which is scored; turns behind it as well.
    `collar` as in DiarizationScore. Takes seconds for a day's recording: call it in a thread.
    """
    end = max([duration, *(turn.end for turn in (*expected, *produced))])
    with quiet:
        metrics = importlib.import_module("pyannote.metrics.diarization")
        core = importlib.import_module("pyannote.core")
        rate = metrics.DiarizationErrorRate(collar=collar, skip_overlap=False)
        found = rate(
            _annotation(core, expected),
            _annotation(core, produced),
            uem=core.Timeline([core.Segment(0.0, end)]),
            detailed=True,
        )
    total = float(found["total"])
    return DiarizationScore(
        der=_rounded(found[metrics.DER_NAME]) if total else None,
        expected=_rounded(total),
        missed=_rounded(found["missed detection"]),
        false_alarm=_rounded(found["false alarm"]),
        confusion=_rounded(found["confusion"]),
        collar=collar,
        overlap_scored=True,
        scored_until=_rounded(end),
    )


def score_transcription(expected: str, produced: str) -> TranscriptionScore:
    """Word error rate between two texts. Takes seconds for a day's recording."""
    words = words_of(expected)
    found = jiwer.process_words(" ".join(words), " ".join(words_of(produced)))
    return TranscriptionScore(
        wer=_rounded(found.wer) if words else None,
        expected_words=len(words),
        substitutions=found.substitutions,
        deletions=found.deletions,
        insertions=found.insertions,
    )


def _annotation(core: Any, turns: Sequence[Turn]) -> Any:
    """A speaker's turns that overlap or touch count once, on whatever channels they are."""
    annotation = core.Annotation()
    for number, turn in enumerate(turns):
        if turn.end > turn.start:
            annotation[core.Segment(turn.start, turn.end), number] = turn.speaker
    return annotation.support()


def _rounded(value: float) -> float:
    """To the microsecond, or the millionth: sums of floats have more digits than they mean."""
    return round(float(value), _DIGITS)
