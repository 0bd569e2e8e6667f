"""Time, as a parameter: every deadline is computed from a `Clock` that tests can replace.

Retention time is the seconds since the Unix epoch that have truly passed, as far as this machine
can know. A wall clock that is wrong, or that somebody sets, must not delete early or late:

- within a boot it advances by CLOCK_BOOTTIME only, which counts suspends and cannot be set;
- a wall clock behind it is ignored;
- one that is ahead is believed only while the kernel calls it synchronised, and one that is ahead
  by more than 5 minutes only after it has been both for 10 minutes;
- a new boot goes on from the persisted mark, or from the wall clock if it is synchronised and
  ahead.

So nothing is deleted early; late by no more than the time powered off or unsynchronised.
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
    """Where retention time stood when the clock of a boot showed `boottime` seconds."""

    time: float
    boot_id: str
    boottime: float


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

    def resume(self, mark: Mark) -> None:
        """Go on from the persisted mark; without one the wall clock is all that there is."""
        boottime = self._sources.boottime()
        if mark.boot_id == self._sources.boot_id:
            resumed = mark.time + max(0.0, boottime - mark.boottime)
        elif self._sources.synchronised():
            resumed = max(mark.time, self._sources.wall())
        else:
            resumed = mark.time + boottime
        self._boottime, self._time = boottime, resumed

    def mark(self) -> Mark:
        """What `resume` of the next process takes."""
        return Mark(self.now(), self._sources.boot_id, self._boottime)

    def now(self) -> float:
        boottime = self._sources.boottime()
        time = self._time + max(0.0, boottime - self._boottime)
        lead = self._sources.wall() - time
        if self._believed(boottime, lead=lead) and lead > 0:
            time += lead
        self._boottime, self._time = boottime, time
        return time

    def wall(self) -> float:
        return self._sources.wall()

    def stamp(self) -> Stamp:
        return Stamp(self.now(), self.wall(), self._sources.boot_id, self._sources.synchronised())

    def _believed(self, boottime: float, *, lead: float) -> bool:
        """Whether a wall clock `lead` seconds ahead is taken for the truth."""
        if not self._sources.synchronised():
            self._lead_since = None
            return False
        if lead <= SMALL_LEAD:
            self._lead_since = None
            return True
        if self._lead_since is None:
            self._lead_since = boottime
        return boottime - self._lead_since >= TRUSTED_AFTER


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
