"""Who speaks in each window: pyannote's sliding window, over int16, biased, its doubts kept."""

import copy
from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from onprem.engine.libraries import Inference, Model, Powerset
from onprem.engine.pcm import to_float
from onprem.engine.posteriors import Array, Quantity

SENSITIVITY_STEP = 0.6
"""Nats of log-odds for one step of a sensitivity: 5 steps multiply the odds by 20.

On 12 labelled recordings (2026-11-23) of speech 15 % is missed at -5, 6.8 % at 0 and 0.5 % at 5,
while of the pauses 1 %, 7 % and 40 % are taken for speech. Of overlap 86 %, 59 % and 28 % are
missed, while of single speech 0.2 %, 1.1 % and 12 % are taken for overlap. Beyond that range one
of the two errors hardly falls.
"""


class Bias(NamedTuple):
    """What is added to the log-odds of speech against none, and of overlap against the rest."""

    speech: float
    overlap: float


NO_BIAS = Bias(0.0, 0.0)


def bias_of(vad_sensitivity: float, crosstalk_sensitivity: float) -> Bias:
    """Sensitivities of -5..5 as log-odds."""
    return Bias(SENSITIVITY_STEP * vad_sensitivity, SENSITIVITY_STEP * crosstalk_sensitivity)


class KeepingPowerset(Powerset):
    """Turns log-probabilities of sets into decisions, and keeps how sure they were.

    It serves one recording. The bias is added to the log-probabilities of all sets but the empty
    one, and of all sets of several speakers; then they are normalised again, so that decisions and
    what is kept agree. Each frame's decision can only move towards what was made more likely.
    """

    def __init__(
        self,
        num_classes: int,
        max_set_size: int,
        keep: Collection[Quantity] = (),
        bias: Bias = NO_BIAS,
    ) -> None:
        super().__init__(num_classes, max_set_size)
        self._biased = bias != NO_BIAS
        shift = bias.speech * (self.cardinality > 0) + bias.overlap * (self.cardinality > 1)
        self.register_buffer("shift", shift, persistent=False)
        self._kept: dict[Quantity, list[npt.NDArray[np.float16]]] = {name: [] for name in keep}

    def forward(self, powerset: Tensor, soft: bool = False) -> Tensor:
        if self._biased:
            powerset = torch.log_softmax(powerset + self.shift, dim=-1)
        for quantity, batches in self._kept.items():
            batches.append(_half(self._quantity(quantity, powerset)))
        decided: Tensor = self.to_multilabel(powerset, soft=soft)
        return decided

    def kept(self) -> dict[Quantity, Array]:
        """(windows, frames) of each quantity; activity is (windows, frames, speakers).

        They are handed over: a second call finds none.
        """
        kept, self._kept = self._kept, {}
        return {quantity: np.concatenate(kept.pop(quantity)) for quantity in list(kept)}

    def _quantity(self, quantity: Quantity, powerset: Tensor) -> Tensor:
        match quantity:
            case "decision":
                return powerset.amax(dim=-1).exp()
            case "speech":
                return 1 - powerset[..., self.cardinality == 0].exp().sum(dim=-1)
            case "crosstalk":
                return powerset[..., self.cardinality > 1].exp().sum(dim=-1)
            case "activity":
                activity: Tensor = self.to_multilabel(powerset, soft=True)
                return activity


class WindowInference(Inference):
    """`Inference` of a powerset segmentation on int16 or float waveforms."""

    def __init__(self, model: Model, **options: Any) -> None:
        super().__init__(model, **options)
        self._convert_with()

    def for_one_recording(self, keep: Collection[Quantity], bias: Bias) -> "WindowInference":
        """One over the same network, whose `powerset` keeps what is named in `keep`."""
        one = copy.copy(self)
        one._convert_with(keep, bias)
        return one

    def infer(self, chunks: Tensor) -> npt.NDArray[np.float32]:
        """(batch, 1, samples) -> (batch, frames, speakers) of 0 and 1."""
        decided: npt.NDArray[np.float32] = super().infer(to_float(chunks))
        return decided

    def _convert_with(self, keep: Collection[Quantity] = (), bias: Bias = NO_BIAS) -> None:
        specifications = self.model.specifications
        self.powerset = KeepingPowerset(
            len(specifications.classes), specifications.powerset_max_classes, keep, bias
        )
        self.conversion = self.powerset.to(self.device)


def _half(tensor: Tensor) -> npt.NDArray[np.float16]:
    """Half precision is a thousandth: more than enough for scores of 0..100."""
    half: npt.NDArray[np.float16] = tensor.to(torch.float16).cpu().numpy()
    return half
