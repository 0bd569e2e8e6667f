"""The device that was asked for, or an error that names it."""

import pytest
import torch

from onprem.engine.device import resolve_device
from onprem.errors import DeviceUnavailable


@pytest.fixture
def cards(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> int:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: request.param > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: request.param)
    return int(request.param)


@pytest.mark.parametrize("cards", [0], indirect=True)
def test_without_a_card(cards: int) -> None:
    assert resolve_device("auto") == torch.device("cpu")
    assert resolve_device("cpu") == torch.device("cpu")
    with pytest.raises(DeviceUnavailable, match="cuda:0"):
        resolve_device("cuda:0")


@pytest.mark.parametrize("cards", [2], indirect=True)
def test_with_two_cards(cards: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    assert resolve_device("auto") == torch.device("cuda:0")
    assert resolve_device("cuda:1") == torch.device("cuda:1")
    assert resolve_device("cpu") == torch.device("cpu")
    assert not torch.backends.cudnn.allow_tf32
    with pytest.raises(DeviceUnavailable, match="cuda:2"):
        resolve_device("cuda:2")
