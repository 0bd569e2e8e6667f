"""Ends jobs that waited too long for their turn."""

from contextlib import suppress

from onprem.clock import Clock
from onprem.errors import QueueExpired
from onprem.runner.finish import Finisher
from onprem.store import queue
from onprem.store.database import Database
from onprem.store.jobs import JobMoved


class QueueExpiry:
    """`ttl`: seconds that a job may wait."""

    def __init__(self, database: Database, finisher: Finisher, clock: Clock, ttl: float) -> None:
        self._database = database
        self._finisher = finisher
        self._clock = clock
        self._ttl = ttl

    async def run(self) -> int:
        """Returns how many jobs it ended.

        Raises:
            OnpremError, OSError: one could not be ended; it waits on.
        """
        ended = 0
        for job in await queue.waiting_since(self._database, self._clock.now() - self._ttl):
            with suppress(JobMoved):  # it was claimed in this moment
                await self._finisher.fail(job, QueueExpired(hours=self._ttl / 3600))
                ended += 1
        return ended
