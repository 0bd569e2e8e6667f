"""The interval of evidence: days in UTC, or moments, never beyond now."""

from datetime import UTC, datetime

import pytest

from onprem.core.evidence_interval import Interval, read_interval

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()


def moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize(
    ("first", "last", "since", "until"),
    [
        ("2026-10-01", "2026-10-31", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z"),
        ("2026-10-01", "2026-10-01", "2026-10-01T00:00:00Z", "2026-10-02T00:00:00Z"),
        ("2026-10-01", None, "2026-10-01T00:00:00Z", "2026-11-23T12:00:00Z"),
        ("2026-11-23", "2026-11-23", "2026-11-23T00:00:00Z", "2026-11-23T12:00:00Z"),
        ("2026-10-01", "2030-01-01", "2026-10-01T00:00:00Z", "2026-11-23T12:00:00Z"),
        (
            *("2026-10-01T08:00:00+02:00", "2026-10-01T07:30:00.5Z"),
            *("2026-10-01T06:00:00Z", "2026-10-01T07:30:00.5Z"),
        ),
    ],
)
def test_days_and_moments(first: str, last: str | None, since: str, until: str) -> None:
    assert read_interval(first, last, now=NOW) == Interval(moment(since), moment(until))


@pytest.mark.parametrize(
    ("first", "last", "fields"),
    [
        ("yesterday", None, ["from"]),
        ("2026-10-01", "", ["to"]),
        ("2026-02-30", "2026-10-01T08:00:00", ["from", "to"]),  # no such day; no zone
        ("20261001", None, ["from"]),
        ("2026-10-02", "2026-10-01", ["from"]),
        ("2026-11-24", None, ["from"]),
        ("2026-11-24", "2026-11-25", ["from"]),
        ("1969-12-31", None, ["from"]),
        ("0001-01-01", "9999-12-31", ["from", "to"]),
    ],
)
def test_faults(first: str, last: str | None, fields: list[str]) -> None:
    found = read_interval(first, last, now=NOW)
    assert not isinstance(found, Interval)
    assert [fault.field for fault in found] == fields
