"""Counting what was admitted within the last minute, exactly, for any number of counters."""

from collections import deque
from collections.abc import Hashable
from typing import NamedTuple

WINDOW = 60 * 10**9
"""Nanoseconds: whole numbers, so that a wait that is told is a wait that suffices."""


class Admission(NamedTuple):
    """`wait` in nanoseconds until the next would be admitted; 0: this one was."""

    remaining: int
    wait: int


class SlidingWindow:
    """At most `limit` admissions of one key within any `WINDOW`; what is refused does not count.

    Remembers at most the limit for each key that was seen within the last two windows.
    """

    def __init__(self) -> None:
        self._admitted: dict[Hashable, deque[int]] = {}
        self._forgot_at: int | None = None

    def admit(self, key: Hashable, limit: int, now: int) -> Admission:
        """`limit` is at least 1; `now` in nanoseconds never decreases."""
        self._forget_idle(now)
        moments = self._admitted.setdefault(key, deque())
        while moments and moments[0] + WINDOW <= now:
            moments.popleft()
        if len(moments) >= limit:
            # The limit may have been lowered: then more than one must leave.
            return Admission(0, moments[len(moments) - limit] + WINDOW - now)
        moments.append(now)
        return Admission(limit - len(moments), 0)

    def _forget_idle(self, now: int) -> None:
        """Once in a window, so that keys that nobody uses any more leave nothing behind."""
        if self._forgot_at is not None and now < self._forgot_at + WINDOW:
            return
        self._forgot_at = now
        self._admitted = {
            key: moments for key, moments in self._admitted.items() if moments[-1] + WINDOW > now
        }

    def __len__(self) -> int:
        """Keys that are remembered."""
        return len(self._admitted)
