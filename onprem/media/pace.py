"""A floor under a source's speed, so that a slow one cannot hold a worker for hours."""

import time
from collections.abc import Callable


class TooSlow(Exception):
    """A whole window passed with too few bytes in it."""


class Pace:
    def __init__(
        self, least_rate: int, window_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`least_rate` in bytes a second, as the mean over each window."""
        self._least = least_rate * window_seconds
        self._window = window_seconds
        self._clock = clock
        self._since = clock()
        self._bytes = 0

    def count(self, size: int) -> None:
        """Note `size` more bytes.

        Raises:
            TooSlow: the window that ends now was too slow.
        """
        self._bytes += size
        now = self._clock()
        if now - self._since < self._window:
            return
        if self._bytes < self._least:
            raise TooSlow
        self._since, self._bytes = now, 0
