"""The interval that evidence is asked for: days, or exact moments."""

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from onprem.faults import Fault

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_EXPECTED = "Expected a day such as 2026-11-23, or a moment such as 2026-11-23T12:00:00Z"


class Interval(NamedTuple):
    """Both ends belong to it. Seconds since the epoch."""

    since: float
    until: float


def read_interval(first: str, last: str | None, *, now: float) -> Interval | list[Fault]:
    """From the beginning of `first` to the end of `last`, in UTC where they are days.

    No `last`, or one in the future: until `now`.
    """
    faults: list[Fault] = []
    since = _moment("from", first, faults, end=False)
    until = now if last is None else _moment("to", last, faults, end=True)
    if since is None or until is None:
        return faults
    until = min(until, now)
    if since >= until:
        return [Fault("from", "It must lie before the end of the interval, and before now")]
    return Interval(since, until)


def _moment(field: str, text: str, faults: list[Fault], *, end: bool) -> float | None:
    """Seconds since the epoch, where they are not before that."""
    try:
        found = datetime.fromisoformat(text)
        if _DAY.fullmatch(text):
            found = found.replace(tzinfo=UTC) + timedelta(days=end)
        if found.tzinfo is not None and found.timestamp() >= 0:
            return found.timestamp()
    except (ValueError, OverflowError):
        pass
    faults.append(Fault(field, _EXPECTED))
    return None
