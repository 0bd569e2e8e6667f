"""Who speaks in each window: pyannote's sliding window, over int16 and with its doubts kept."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from onprem.engine.libraries import Inference, Model, Powerset
from onprem.engine.pcm import to_float


class KeepingPowerset(Powerset):
    """Turns set probabilities into decisions and, while `keeps`, remembers how sure they were."""

    def __init__(self, num_classes: int, max_set_size: int) -> None:
        super().__init__(num_classes, max_set_size)
        self.keeps = False
        self._kept: list[tuple[npt.NDArray[np.float16], npt.NDArray[np.float16]]] = []

    def start(self, *, keep: bool) -> None:
        """Forget the last recording; remember the next one if `keep`."""
        self.keeps = keep
        self._kept.clear()

    def forward(self, powerset: Tensor, soft: bool = False) -> Tensor:
        if self.keeps:
            decision = powerset.amax(dim=-1).exp()
            activity = self.to_multilabel(powerset, soft=True)
            self._kept.append((_half(decision), _half(activity)))
        decided: Tensor = self.to_multilabel(powerset, soft=soft)
        return decided

    def kept(self) -> tuple[npt.NDArray[np.float16], npt.NDArray[np.float16]]:
        """(windows, frames) decision and (windows, frames, speakers) activity; forgets them."""
        decision = np.concatenate([one for one, _ in self._kept])
        activity = np.concatenate([one for _, one in self._kept])
        self._kept.clear()
        return decision, activity


class WindowInference(Inference):
    """`Inference` of a powerset segmentation on int16 or float waveforms."""

    def __init__(self, model: Model, **options: Any) -> None:
        super().__init__(model, **options)
        specifications = model.specifications
        self.powerset = KeepingPowerset(
            len(specifications.classes), specifications.powerset_max_classes
        )
        self.conversion = self.powerset.to(self.device)

    def infer(self, chunks: Tensor) -> npt.NDArray[np.float32]:
        """(batch, 1, samples) -> (batch, frames, speakers) of 0 and 1."""
        decided: npt.NDArray[np.float32] = super().infer(to_float(chunks))
        return decided


def _half(tensor: Tensor) -> npt.NDArray[np.float16]:
    """Half precision is a thousandth: more than enough for scores of 0..100."""
    half: npt.NDArray[np.float16] = tensor.to(torch.float16).cpu().numpy()
    return half
