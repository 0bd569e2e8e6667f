"""Whether the server can take work, and if not, why; and how much work there is."""

import msgspec

from onprem.errors import ModelsNotReady
from onprem.runner.loop import RunnerLoop
from onprem.store import retained
from onprem.store.database import Database
from onprem.store.retained import QueueNow


class Readiness(msgspec.Struct, frozen=True, omit_defaults=True):
    """`code` and `message` stand only where the server is not ready."""

    status: str
    code: str | None = None
    message: str | None = None

    @property
    def ready(self) -> bool:
        return self.status == "ready"


class Health:
    def __init__(self, runner: RunnerLoop, database: Database) -> None:
        self._runner = runner
        self._database = database

    async def queue(self) -> QueueNow:
        """Jobs that wait and run. Raises StoreBusy, DiskFailed."""
        return await retained.queue(self._database)

    def readiness(self) -> Readiness:
        if self._runner.ready:
            return Readiness("ready")
        if self._runner.stopping:
            return Readiness("stopping", "stopping", "The server takes no more jobs.")
        if self._runner.problem is not None:
            # The remedy alone: everybody can read this, and a message may name folders.
            return Readiness("failing", self._runner.problem.code, self._runner.problem.advice)
        loading = ModelsNotReady()
        return Readiness("starting", loading.code, loading.sentence)
