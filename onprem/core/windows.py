"""Cutting a recording's speech into the windows that a transcription model reads."""

import math
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple


class Window(NamedTuple):
    """A span of a recording, in seconds from its start."""

    start: float
    end: float


def pack_regions(
    regions: Iterable[tuple[float, float]], *, longest: float = 30.0, widest_gap: float = 3.0
) -> list[Window]:
    """Pack speech into as few windows as possible, each at most `longest` seconds.

    Whisper pads every window to 30 s, so short regions share one; a pause of more than
    `widest_gap` seconds begins a new window, because Whisper invents words in long silence. A
    region that is too long is cut into equal parts.

    Args:
        regions: (start, end) in seconds, in any order; they may overlap. Empty ones are skipped.

    Returns:
        Windows in order, without overlap, that cover every region.
    """
    windows: list[Window] = []
    for part in _parts(_union(regions), longest):
        last = windows[-1] if windows else None
        if last and part.start - last.end <= widest_gap and part.end - last.start <= longest:
            windows[-1] = Window(last.start, part.end)
        else:
            windows.append(part)
    return windows


def widen(windows: list[Window], *, by: float, duration: float) -> list[Window]:
    """Give each window `by` seconds of the silence around it, but none of its neighbours.

    Returns:
        As many windows, within 0..`duration` where those given are, in order, without overlap.
    """
    middles = ((one.end + other.start) / 2 for one, other in pairwise(windows))
    borders = pairwise([0.0, *middles, duration])
    return [
        Window(max(window.start - by, earliest), min(window.end + by, latest))
        for window, (earliest, latest) in zip(windows, borders, strict=False)
    ]


def _union(regions: Iterable[tuple[float, float]]) -> list[Window]:
    union: list[Window] = []
    for start, end in sorted(regions):
        if end <= start:
            continue
        if union and start <= union[-1].end:
            union[-1] = Window(union[-1].start, max(union[-1].end, end))
        else:
            union.append(Window(start, end))
    return union


def _parts(regions: list[Window], longest: float) -> Iterator[Window]:
    for start, end in regions:
        count = math.ceil((end - start) / longest)
        edges = [start + (end - start) * index / count for index in range(count)]
        yield from (Window(*pair) for pair in zip(edges, [*edges[1:], end], strict=True))
