"""Packing: every second of speech is read once, in windows that Whisper can take."""

import pytest
from hypothesis import given, strategies as st

from onprem.core.windows import Window, pack_regions, widen

LONGEST = 30.0
TIMES = st.floats(0, 3600, allow_nan=False).map(lambda seconds: round(seconds, 3))
LENGTHS = st.floats(0.001, 100, allow_nan=False).map(lambda seconds: round(seconds, 3))
REGIONS = st.lists(
    st.tuples(TIMES, LENGTHS).map(lambda pair: (pair[0], pair[0] + pair[1])), max_size=40
)


@given(REGIONS)
def test_every_region_is_covered(regions: list[tuple[float, float]]) -> None:
    windows = pack_regions(regions)
    for start, end in regions:
        inside = sum(max(0.0, min(end, w.end) - max(start, w.start)) for w in windows)
        assert inside == pytest.approx(end - start, abs=1e-6)


@given(REGIONS)
def test_windows_are_short_enough_and_in_order(regions: list[tuple[float, float]]) -> None:
    windows = pack_regions(regions)
    assert all(0 < window.end - window.start <= LONGEST + 1e-6 for window in windows)
    assert all(
        before.end <= after.start for before, after in zip(windows, windows[1:], strict=False)
    )


@given(REGIONS)
def test_windows_begin_and_end_with_speech(regions: list[tuple[float, float]]) -> None:
    for window in pack_regions(regions):
        assert any(start <= window.start <= end for start, end in regions)
        assert any(start <= window.end <= end for start, end in regions)


@given(REGIONS, st.floats(0, 5))
def test_widened_windows_stay_apart_and_inside(
    regions: list[tuple[float, float]], margin: float
) -> None:
    duration = max((end for _, end in regions), default=0.0) + 1
    windows = pack_regions(regions)
    wide = widen(windows, by=margin, duration=duration)
    assert len(wide) == len(windows)
    for window, narrow in zip(wide, windows, strict=True):
        assert 0 <= window.start <= narrow.start and narrow.end <= window.end <= duration
        assert narrow.start - window.start <= margin + 1e-9
    assert all(
        before.end <= after.start + 1e-9 for before, after in zip(wide, wide[1:], strict=False)
    )


def test_short_regions_share_a_window() -> None:
    assert pack_regions([(0, 5), (6, 12), (13, 20)]) == [Window(0, 20)]


def test_a_long_pause_begins_a_new_window() -> None:
    assert pack_regions([(0, 5), (9, 12)]) == [Window(0, 5), Window(9, 12)]


def test_a_long_region_is_cut_into_equal_parts() -> None:
    assert pack_regions([(0, 70)]) == [
        Window(0, 70 / 3),
        Window(70 / 3, 140 / 3),
        Window(140 / 3, 70),
    ]


def test_no_speech_no_windows() -> None:
    assert pack_regions([]) == []
    assert pack_regions([(3, 3), (5, 4)]) == []


def test_a_margin_is_shared_between_neighbours() -> None:
    wide = widen([Window(1, 10), Window(10.2, 20)], by=0.5, duration=20.1)
    assert wide == [Window(0.5, 10.1), Window(10.1, 20.1)]
