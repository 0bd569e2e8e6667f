"""Sets of speakers: what is decided, what is kept of it, and what a bias does to both."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor

from onprem.engine.libraries import Powerset
from onprem.engine.segmentation import NO_BIAS, Bias, KeepingPowerset, bias_of

ALL = ("decision", "speech", "crosstalk", "activity")

# {}, {0}, {1}, {2}, {0, 1}, {0, 2}, {1, 2}
ONE_FRAME = [0.1, 0.5, 0.05, 0.05, 0.2, 0.06, 0.04]


def log_probabilities(seed: int, frames: int = 50) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    return torch.log_softmax(4 * torch.randn(2, frames, 7, generator=random), dim=-1)


def keeping(bias: Bias = NO_BIAS) -> KeepingPowerset:
    return KeepingPowerset(3, 2, ALL, bias)


def test_what_is_kept_of_a_frame() -> None:
    powerset = keeping()
    decided = powerset(torch.tensor(ONE_FRAME).log()[None, None])
    assert decided.tolist() == [[[1, 0, 0]]]
    kept = powerset.kept()
    assert kept["decision"].shape == kept["speech"].shape == kept["crosstalk"].shape == (1, 1)
    assert kept["decision"] == pytest.approx(0.5, abs=1e-3)
    assert kept["speech"] == pytest.approx(0.9, abs=1e-3)
    assert kept["crosstalk"] == pytest.approx(0.3, abs=1e-3)
    assert kept["activity"][0, 0] == pytest.approx([0.76, 0.29, 0.15], abs=1e-3)


def test_only_what_is_asked_for_is_kept_and_only_once() -> None:
    powerset = KeepingPowerset(3, 2, ["speech"])
    for seed in (1, 2):
        powerset(log_probabilities(seed))
    kept = powerset.kept()
    assert list(kept) == ["speech"]
    assert kept["speech"].shape == (4, 50)
    assert powerset.kept() == {}


def test_neutral_sensitivities_change_no_bit() -> None:
    given = log_probabilities(3)
    powerset = keeping(bias_of(0.0, 0.0))
    np.testing.assert_array_equal(powerset(given), Powerset(3, 2)(given))
    np.testing.assert_array_equal(powerset.kept()["decision"], given.amax(-1).exp().half())


def test_a_sensitivity_is_a_step_in_log_odds() -> None:
    frame = torch.tensor(ONE_FRAME).log()[None, None]
    speech = keeping(bias_of(5.0, 0.0))
    overlap = keeping(bias_of(0.0, -5.0))
    for powerset in (speech, overlap):
        powerset(frame)
    odds = 9 * np.exp(5 * 0.6)  # 0.9 against 0.1
    assert speech.kept()["speech"] == pytest.approx(odds / (1 + odds), abs=1e-3)
    odds = 3 / 7 * np.exp(-5 * 0.6)  # 0.3 against 0.7
    assert overlap.kept()["crosstalk"] == pytest.approx(odds / (1 + odds), abs=1e-3)


@settings(deadline=None)
@given(
    seed=st.integers(0, 10_000),
    lower=st.floats(-5, 5),
    higher=st.floats(-5, 5),
    other=st.floats(-5, 5),
)
def test_more_sensitivity_never_finds_less(
    seed: int, lower: float, higher: float, other: float
) -> None:
    lower, higher = sorted((lower, higher))
    frames = log_probabilities(seed)
    few, many = (keeping(bias_of(vad, other))(frames).sum(-1) for vad in (lower, higher))
    assert ((many > 0) >= (few > 0)).all()
    few, many = (
        keeping(bias_of(other, crosstalk))(frames).sum(-1) for crosstalk in (lower, higher)
    )
    assert ((many > 1) >= (few > 1)).all()


@settings(deadline=None)
@given(seed=st.integers(0, 10_000), vad=st.floats(-5, 5), crosstalk=st.floats(-5, 5))
def test_nobody_speaks_more_than_anybody(seed: int, vad: float, crosstalk: float) -> None:
    powerset = keeping(bias_of(vad, crosstalk))
    powerset(log_probabilities(seed))
    kept = powerset.kept()
    assert (kept["crosstalk"] <= kept["speech"] + 1e-3).all()
    assert (kept["activity"] <= kept["speech"][..., None] + 1e-3).all()
