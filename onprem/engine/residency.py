"""Loaded models, a few at a time."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

F = TypeVar("F")
T = TypeVar("T")


class Residency(Generic[F, T]):
    """Keeps up to `capacity` models loaded; the one that was not used for longest goes first.

    Before every load, `verify` gets the model's id and checks its files; `load` gets what `verify`
    returned. Several threads may ask at once; one load goes on at a time. A model that goes while
    somebody works with it lives until that work ends.
    """

    def __init__(self, verify: Callable[[str], F], load: Callable[[F], T], capacity: int) -> None:
        self._verify = verify
        self._load = load
        self._capacity = capacity
        self._loaded: OrderedDict[str, T] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, model_id: str) -> T:
        """The model, loaded now if need be; what `verify` and `load` raise passes through.

        A model that does not verify displaces none.
        """
        with self._lock:
            if model_id not in self._loaded:
                files = self._verify(model_id)
                # Room before the load: two large models side by side may not fit.
                while len(self._loaded) >= self._capacity:
                    self._loaded.popitem(last=False)
                self._loaded[model_id] = self._load(files)
            self._loaded.move_to_end(model_id)
            return self._loaded[model_id]
