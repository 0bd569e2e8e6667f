"""Time, as a parameter: every deadline is computed from a `Clock` that tests can replace."""

import time
from typing import Protocol


class Clock(Protocol):
    def now(self) -> float:
        """Seconds since the Unix epoch."""
        ...


class SystemClock:
    """The only place in the package that reads the machine's time of day."""

    def now(self) -> float:
        return time.time()
