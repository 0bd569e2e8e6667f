"""A machine's clocks that stand still until a test moves them, and the real rule on top."""

from onprem.clock import RetentionClock


class FakeSources:
    """What the kernel would say."""

    def __init__(self, now: float) -> None:
        self.boot_id = "boot-1"
        self.wall_seconds = now
        self.boottime_seconds = now  # since a boot in 1970: clocks made for other times agree
        self.is_synchronised = True

    def wall(self) -> float:
        return self.wall_seconds

    def boottime(self) -> float:
        return self.boottime_seconds

    def synchronised(self) -> bool:
        return self.is_synchronised


class FakeClock(RetentionClock):
    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.sources = FakeSources(now)
        super().__init__(self.sources)

    def advance(self, seconds: float) -> None:
        """Time passes, on a machine that runs or is suspended."""
        self.sources.wall_seconds += seconds
        self.sources.boottime_seconds += seconds

    def step_wall(self, seconds: float, *, synchronised: bool = False) -> None:
        """Somebody sets the wall clock; the kernel then knows that nobody vouches for it."""
        self.sources.wall_seconds += seconds
        self.sources.is_synchronised = synchronised

    def reboot(self, *, off: float, boot_id: str = "boot-2") -> None:
        """The machine was off for so many seconds; the next process resumes from a mark."""
        self.sources.wall_seconds += off
        self.sources.boottime_seconds = 0.0
        self.sources.boot_id = boot_id
