"""A few models stay loaded; each load is verified first, and costs no other model if it is not."""

import threading
from collections.abc import Callable
from typing import TypeVar

import pytest

from onprem.engine.residency import Residency

T = TypeVar("T")


def residency(load: Callable[[str], T], capacity: int) -> Residency[str, T]:
    """One that takes every model for sound."""
    return Residency(lambda model_id: model_id, load, capacity)


def test_a_model_is_loaded_once_and_the_oldest_goes_first() -> None:
    loads: list[str] = []

    def load(model_id: str) -> str:
        loads.append(model_id)
        return model_id.upper()

    resident = residency(load, capacity=2)
    assert [resident.get(model) for model in ("a", "b", "a", "c", "a", "b")] == list("ABACAB")
    assert loads == ["a", "b", "c", "b"]


def test_room_is_made_before_the_next_is_loaded() -> None:
    alive: list[str] = []

    class Model:
        def __init__(self, model_id: str) -> None:
            self.id = model_id
            alive.append(model_id)
            assert len(alive) == 1

        def __del__(self) -> None:
            alive.remove(self.id)

    resident = residency(Model, capacity=1)
    assert resident.get("a").id == "a"
    assert resident.get("b").id == "b"


def test_a_failed_load_leaves_nothing_behind() -> None:
    loads: list[str] = []

    def load(model_id: str) -> str:
        loads.append(model_id)
        if len(loads) == 1:
            raise LookupError(model_id)
        return model_id

    resident = residency(load, capacity=1)
    with pytest.raises(LookupError):
        resident.get("a")
    assert resident.get("a") == "a"


def test_a_model_that_does_not_verify_displaces_none() -> None:
    loads: list[str] = []

    def verify(model_id: str) -> str:
        if model_id == "damaged":
            raise LookupError(model_id)
        return model_id

    resident = Residency(verify, lambda model_id: loads.append(model_id), capacity=1)
    resident.get("a")
    with pytest.raises(LookupError):
        resident.get("damaged")
    resident.get("a")
    assert loads == ["a"]


def test_threads_that_ask_at_once_share_one_load() -> None:
    loads: list[str] = []
    asking, loading = threading.Event(), threading.Event()

    def load(model_id: str) -> list[str]:
        loads.append(model_id)
        loading.set()
        asking.wait(timeout=10)
        return [model_id]

    resident = residency(load, capacity=1)
    found: list[list[str]] = []
    first = threading.Thread(target=lambda: found.append(resident.get("a")))
    second = threading.Thread(target=lambda: found.append(resident.get("a")))
    first.start()
    assert loading.wait(timeout=10)
    second.start()
    asking.set()
    first.join()
    second.join()
    assert loads == ["a"]
    assert found[0] is found[1]
