"""Ranges of RFC 9110, section 14: one is served, what is broken or many means the whole."""

import pytest
from hypothesis import given, strategies as st

from onprem.core.byte_range import ByteRange, byte_range

CASES: dict[str | None, tuple[int, int] | None] = {
    None: (0, 10),
    "bytes=0-9": (0, 10),
    "bytes=0-": (0, 10),
    "bytes=2-4": (2, 5),
    "bytes=9-9": (9, 10),
    "bytes=5-100": (5, 10),
    "bytes=-3": (7, 10),
    "bytes=-100": (0, 10),
    "bytes=10-": None,
    "bytes=10-20": None,
    "bytes=-0": None,
    "bytes=4-2": (0, 10),
    "bytes=-": (0, 10),
    "bytes=a-b": (0, 10),
    "bytes=0-1,3-4": (0, 10),
    "items=0-1": (0, 10),
    "bytes=" + "9" * 30 + "-": (0, 10),
}


@pytest.mark.parametrize("header", CASES)
def test_ranges_of_ten_bytes(header: str | None) -> None:
    assert byte_range(header, 10) == CASES[header]


def test_nothing_of_nothing_can_be_asked_for() -> None:
    assert byte_range(None, 0) == ByteRange(0, 0)
    assert byte_range("bytes=0-", 0) is None


@given(st.integers(0, 50), st.integers(0, 60), st.integers(0, 60))
def test_a_range_is_what_slicing_gives(size: int, first: int, last: int) -> None:
    content = bytes(range(size))
    found = byte_range(f"bytes={first}-{last}", size)
    if last < first:
        assert found == (0, size)
    elif found is None:
        assert content[first : last + 1] == b""
    else:
        assert content[found.start : found.stop] == content[first : last + 1] != b""


@given(st.text(max_size=30), st.integers(0, 50))
def test_any_header_gives_a_part_of_what_is_there(header: str, size: int) -> None:
    found = byte_range(header, size)
    assert found is None or 0 <= found.start <= found.stop <= size
