"""How many requests a project may send to one endpoint within a minute."""

import math
import time
from collections.abc import Callable

import msgspec

from onprem.clock import Clock
from onprem.config.settings import Limits
from onprem.core.sliding_window import SlidingWindow
from onprem.store import projects
from onprem.store.database import Database

_NANOSECONDS = 10**9


class Allowance(msgspec.Struct, frozen=True):
    """What is left. `wait` in whole seconds until a refused request would be admitted, else 0.

    `resets_at` is that moment, in seconds since the epoch.
    """

    limit: int
    remaining: int
    wait: int
    resets_at: int


class RateLimits:
    """Counts in memory: a restart begins anew."""

    def __init__(
        self,
        database: Database,
        limits: Limits,
        clock: Clock,
        monotonic: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._database = database
        self._limits = limits
        self._clock = clock
        self._monotonic = monotonic
        self._window = SlidingWindow()

    async def admit(self, project_id: str, endpoint: str, *, reads: bool) -> Allowance | None:
        """Count a request, unless the limit is reached; None: there is no limit.

        `endpoint` is a route and its method; `reads` is true for those that change nothing.
        """
        limit = await self._limit(project_id, reads)
        if not limit:
            return None
        admission = self._window.admit((project_id, endpoint), limit, self._monotonic())
        wait = -(-admission.wait // _NANOSECONDS)
        return Allowance(limit, admission.remaining, wait, math.ceil(self._clock.now()) + wait)

    async def _limit(self, project_id: str, reads: bool) -> int:
        project = await projects.get(self._database, project_id)
        if project is not None and project.settings.requests_per_minute is not None:
            return project.settings.requests_per_minute
        return self._limits.reads_per_minute if reads else self._limits.writes_per_minute
