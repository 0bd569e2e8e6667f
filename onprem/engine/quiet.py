"""Silence for the model libraries' warnings, which are for their developers."""

import threading
import warnings
from contextlib import ExitStack
from types import TracebackType


class Quiet:
    """A context for several threads at once: the filters are put back when the last one leaves.

    `warnings.catch_warnings` puts back what it found, so where two threads overlap, it can leave
    one's filters behind for good, the libraries' own uses included.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._filters = ExitStack()

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._filters.enter_context(warnings.catch_warnings())
                warnings.filterwarnings("ignore", module=r"pyannote\.|numpy\.|torch\.|onprem\.")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._filters.close()


quiet = Quiet()
