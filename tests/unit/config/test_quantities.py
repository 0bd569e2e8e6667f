"""Durations and sizes: what is written can be read back, and nonsense is refused."""

import pytest
from hypothesis import given, strategies as st

from onprem.config.quantities import ByteSize, Duration


@given(st.floats(0, 1e9, allow_nan=False, allow_subnormal=False))
def test_a_duration_comes_back_from_its_text(seconds: float) -> None:
    assert Duration.parse(str(Duration(seconds))) == seconds


@given(st.integers(0, 1 << 70))
def test_a_size_comes_back_from_its_text(size: int) -> None:
    assert ByteSize.parse(str(ByteSize(size))) == size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("90s", 90), ("15m", 900), ("48h", 172_800), ("30d", 2_592_000), ("1.5h", 5400)],
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert Duration.parse(text) == seconds
    assert Duration.parse(f" {text} ") == seconds


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("5B", 5), ("512KiB", 1 << 19), ("1.5 GiB", 3 << 29), ("2TiB", 1 << 41)],
)
def test_sizes_are_read(text: str, size: int) -> None:
    assert ByteSize.parse(text) == size


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0"), (90, "90s"), (172_800, "48h"), (7 * 86_400, "7d"), (0.25, "0.25s"), (3600, "1h")],
)
def test_a_duration_is_written_in_its_largest_unit(seconds: float, text: str) -> None:
    assert str(Duration(seconds)) == text


@pytest.mark.parametrize(
    "text", ["", "48", "h", "-1h", "1e3s", "48 hours", "48H", "1w", "nan", "1.h"]
)
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="Expected a duration such as"):
        Duration.parse(text)


@pytest.mark.parametrize("text", ["", "1", "1GB", "1gib", "-1B", "GiB", "1 KiB KiB"])
def test_anything_else_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="Expected a size such as"):
        ByteSize.parse(text)
