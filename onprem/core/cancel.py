"""Cancellation: cooperative, asked for from any thread, seen at the next cancel point."""

import enum


class CancelReason(enum.Enum):
    """Why the work shall stop; a shutdown's job is run again later, a user's is not."""

    USER = "user"
    SHUTDOWN = "shutdown"


class Canceled(Exception):
    """Raised at a cancel point after `CancelToken.cancel`."""

    def __init__(self, reason: CancelReason) -> None:
        self.reason = reason
        super().__init__(reason.value)


class CancelToken:
    """Shared by the one who asks and the thread that computes."""

    def __init__(self) -> None:
        self._reason: CancelReason | None = None

    def cancel(self, reason: CancelReason) -> None:
        """Ask the work to stop. The first reason stands."""
        if self._reason is None:
            self._reason = reason

    @property
    def reason(self) -> CancelReason | None:
        return self._reason

    def check(self) -> None:
        """A cancel point: raises `Canceled` once somebody asked."""
        if self._reason is not None:
            raise Canceled(self._reason)
