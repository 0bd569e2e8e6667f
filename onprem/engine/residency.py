"""Loaded models, a few at a time."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Residency(Generic[T]):
    """Keeps up to `capacity` models loaded; the one that was not used for longest goes first.

    `load` gets a model's id; it must verify the model's files, since it runs before every load.
    Used from the accelerator thread only.
    """

    def __init__(self, load: Callable[[str], T], capacity: int) -> None:
        self._load = load
        self._capacity = capacity
        self._loaded: OrderedDict[str, T] = OrderedDict()

    def get(self, model_id: str) -> T:
        """The model, loaded now if need be; what `load` raises passes through."""
        if model_id not in self._loaded:
            # Room first: two large models side by side may not fit.
            while len(self._loaded) >= self._capacity:
                self._loaded.popitem(last=False)
            self._loaded[model_id] = self._load(model_id)
        self._loaded.move_to_end(model_id)
        return self._loaded[model_id]
