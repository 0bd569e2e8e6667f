"""Time, as a parameter: every deadline is computed from a `Clock` that tests can replace.

Retention time is the seconds since the Unix epoch that have truly passed, as far as this machine
can know. A wall clock that is wrong, or that somebody sets, must not delete early or late:

- within a boot it advances by CLOCK_BOOTTIME only, which counts suspends and cannot be set;
- a wall clock behind it is ignored;
- one that is ahead is believed only while the kernel calls it synchronised, and one that is ahead
  by more than 5 minutes only after it has been both for 10 minutes;
- a new boot goes on from the persisted mark, or from the wall clock if it is synchronised and
  ahead.

Retention time that lagged behind, as it does after a boot until the clock is synchronised, catches
up in one step, which the sweep takes: what was dated since it lagged is dated anew by that step, so
that it has its whole time. So nothing is deleted early; late by no more than the time powered off
or unsynchronised.
"""

import ctypes
import time
from pathlib import Path
from typing import Protocol

import msgspec

from onprem.stamp import Stamp

SMALL_LEAD = 300.0
"""Seconds by which a synchronised wall clock may be ahead and is believed at once."""
TRUSTED_AFTER = 600.0
"""Seconds for which the kernel must call a clock synchronised that is further ahead."""

_STA_UNSYNC = 0x0040
_ADJTIMEX_ERROR = 5


class Mark(msgspec.Struct, frozen=True):
    """Where retention time stood when the clock of a boot showed `boottime` seconds.

    `lags_since`: from when on it may lag behind, in retention time; None: it does not.
    """

    time: float
    boot_id: str
    boottime: float
    lags_since: float | None = None


class CatchUp(msgspec.Struct, frozen=True):
    """A step of `by` seconds that retention time has to take; it lagged `since` then."""

    since: float
    by: float


class Clock(Protocol):
    def now(self) -> float:
        """Retention time, in seconds since the Unix epoch."""
        ...

    def wall(self) -> float:
        """The machine's time of day, for what others compare with theirs."""
        ...

    def stamp(self) -> Stamp: ...


class TimeSources(Protocol):
    """What the machine says. Tests have their own."""

    boot_id: str

    def wall(self) -> float: ...

    def boottime(self) -> float:
        """Seconds since the boot, suspends included."""
        ...

    def synchronised(self) -> bool: ...


class RetentionClock:
    """Retention time of this process; `resume` lets it go on where the last one stopped."""

    def __init__(self, sources: TimeSources) -> None:
        self._sources = sources
        self._boottime = sources.boottime()
        self._time = sources.wall()
        self._lead_since: float | None = None
        self._lags_since = None if sources.synchronised() else self._time

    def resume(self, mark: Mark) -> None:
        """Go on from the persisted mark; without one the wall clock is all that there is."""
        boottime, lags_since = self._sources.boottime(), mark.lags_since
        if mark.boot_id == self._sources.boot_id:
            resumed = mark.time + max(0.0, boottime - mark.boottime)
        elif self._sources.synchronised() and lags_since is None:
            resumed = max(mark.time, self._sources.wall())
        else:
            resumed = mark.time + boottime
            lags_since = resumed if lags_since is None else lags_since
        self._boottime, self._time, self._lags_since = boottime, resumed, lags_since

    def mark(self) -> Mark:
        """What `resume` of the next process takes."""
        return Mark(self.now(), self._sources.boot_id, self._boottime, self._lags_since)

    def now(self) -> float:
        boottime = self._sources.boottime()
        time = self._time + max(0.0, boottime - self._boottime)
        lead = self._sources.wall() - time
        if lead > SMALL_LEAD:
            self._lags_since = time if self._lags_since is None else self._lags_since
        elif self._sources.synchronised():
            self._lags_since = None
            time += max(0.0, lead)
        self._boottime, self._time = boottime, time
        self._watch(lead, boottime)
        return time

    def catch_up(self) -> CatchUp | None:
        """The step to take now, if the wall clock is far ahead and believed.

        Who takes it dates anew what was dated since, writes the mark, and calls `caught_up`.
        """
        time = self.now()
        lead = self._sources.wall() - time
        if self._lead_since is None or self._boottime - self._lead_since < TRUSTED_AFTER:
            return None
        return CatchUp(time if self._lags_since is None else self._lags_since, lead)

    def after(self, step: CatchUp) -> Mark:
        """The mark as it is once the step is taken."""
        mark = self.mark()
        return Mark(mark.time + step.by, mark.boot_id, mark.boottime)

    def caught_up(self, step: CatchUp) -> None:
        """The step is taken."""
        self._time += step.by
        self._lags_since = self._lead_since = None

    def wall(self) -> float:
        return self._sources.wall()

    def stamp(self) -> Stamp:
        return Stamp(self.now(), self.wall(), self._sources.boot_id, self._sources.synchronised())

    def _watch(self, lead: float, boottime: float) -> None:
        """Note since when the wall clock is far ahead and called synchronised."""
        if lead <= SMALL_LEAD or not self._sources.synchronised():
            self._lead_since = None
        elif self._lead_since is None:
            self._lead_since = boottime


class SystemSources:
    """The only place in the package that reads the machine's clocks for deadlines."""

    def __init__(self) -> None:
        self.boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        self._adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex

    def wall(self) -> float:
        return time.time()

    def boottime(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def synchronised(self) -> bool:
        """As the kernel says; who may not ask is told no."""
        request = _Timex()
        state = self._adjtimex(ctypes.byref(request))
        return state not in (-1, _ADJTIMEX_ERROR) and not request.status & _STA_UNSYNC


def system_clock() -> RetentionClock:
    """The clock of this machine, which knows of no mark yet."""
    return RetentionClock(SystemSources())


class _Timex(ctypes.Structure):
    """The head of `struct timex` (adjtimex(2)); `modes` 0 only reads."""

    _fields_ = [
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),  # more than any kernel writes
    ]
