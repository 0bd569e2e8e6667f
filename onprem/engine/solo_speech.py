"""Where a speaker speaks alone, and the passages of it that tell the voice best."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from onprem.core.speech import Turn
from onprem.core.windows import Window

SHORTEST_SPEECH = 0.5
"""Seconds: under this, a vector says too little. Equal error rate of CAM++ on draws of this length
from LibriSpeech: 9.5 % at 0.3 s, 4 % at 0.5 s, 2 % at 1 s, none wrong of 250 at 2 s (2026-11-23).
A short vector is far from every voice, so it is missed more often than it is taken for another."""

ENOUGH_SPEECH = 60.0
"""Seconds: bounds the cost. A voice's cosine with itself in other recordings was 0.88 after 5 s
and 0.92 after 20 s."""

LONGEST_PASSAGE = 10.0
SHORTEST_PASSAGE = 3.0


def solo_speech(turns: Iterable[Turn]) -> dict[str, list[Window]]:
    """For each speaker, in order, the spans in which that speaker and nobody else has a turn."""
    changes = [(turn.start, 1, turn.speaker) for turn in turns]
    changes += [(turn.end, -1, turn.speaker) for turn in turns]
    speaking: Counter[str] = Counter()
    solo: defaultdict[str, list[Window]] = defaultdict(list)
    since = 0.0
    for time, change, speaker in sorted(changes):
        if len(speaking) == 1 and time > since:
            _extend(solo[next(iter(speaking))], Window(since, time))
        speaking[speaker] += change
        if not speaking[speaker]:
            del speaking[speaker]
        since = time
    return dict(solo)


def passages(spans: Sequence[Window]) -> list[list[Window]]:
    """The spans of one speaker in passages of about 3 to 10 s, each to be heard as one.

    A minute of speech is enough: the longest spans are taken. Short ones join the next, long ones
    are cut into equal parts. None where there is less than `SHORTEST_SPEECH` in all.
    """
    if sum(_length(span) for span in spans) < SHORTEST_SPEECH:
        return []
    joined: list[list[Window]] = []
    for part in _parts(_longest(spans)):
        if joined and sum(map(_length, joined[-1])) < SHORTEST_PASSAGE:
            joined[-1].append(part)
        else:
            joined.append([part])
    if len(joined) > 1 and sum(map(_length, joined[-1])) < SHORTEST_PASSAGE:
        rest = joined.pop()
        joined[-1].extend(rest)
    return joined


def _extend(spans: list[Window], span: Window) -> None:
    if spans and spans[-1].end == span.start:
        spans[-1] = Window(spans[-1].start, span.end)
    else:
        spans.append(span)


def _longest(spans: Sequence[Window]) -> list[Window]:
    taken: list[Window] = []
    for span in sorted(spans, key=_length, reverse=True):
        if sum(map(_length, taken)) >= ENOUGH_SPEECH:
            break
        taken.append(span)
    return sorted(taken)


def _parts(spans: Iterable[Window]) -> Iterable[Window]:
    for start, end in spans:
        count = math.ceil((end - start) / LONGEST_PASSAGE)
        edges = [start + (end - start) * index / count for index in range(count + 1)]
        yield from (Window(*pair) for pair in zip(edges, edges[1:], strict=False))


def _length(span: Window) -> float:
    return span.end - span.start
