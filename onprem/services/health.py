"""Whether the server can take work, and if not, why."""

import msgspec

from onprem.errors import ModelsNotReady
from onprem.runner.loop import RunnerLoop


class Readiness(msgspec.Struct, frozen=True, omit_defaults=True):
    """`code` and `message` stand only where the server is not ready."""

    status: str
    code: str | None = None
    message: str | None = None

    @property
    def ready(self) -> bool:
        return self.status == "ready"


class Health:
    def __init__(self, runner: RunnerLoop) -> None:
        self._runner = runner

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
