"""A few models stay loaded; each load goes through the loader, which verifies."""

import pytest

from onprem.engine.residency import Residency


def test_a_model_is_loaded_once_and_the_oldest_goes_first() -> None:
    loads: list[str] = []

    def load(model_id: str) -> str:
        loads.append(model_id)
        return model_id.upper()

    resident = Residency(load, capacity=2)
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

    resident = Residency(Model, capacity=1)
    assert resident.get("a").id == "a"
    assert resident.get("b").id == "b"


def test_a_failed_load_leaves_nothing_behind() -> None:
    loads: list[str] = []

    def load(model_id: str) -> str:
        loads.append(model_id)
        if len(loads) == 1:
            raise LookupError(model_id)
        return model_id

    resident = Residency(load, capacity=1)
    with pytest.raises(LookupError):
        resident.get("a")
    assert resident.get("a") == "a"
