"""A vector for each speaker's voice, from where the speaker speaks alone.

Passages of up to about 10 s are embedded one by one; a voice is the mean of their unit vectors,
weighted by how long they are, with length 1. Two vectors of one model compare by their cosine.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import torch

from onprem.core.cancel import CancelToken
from onprem.core.speech import Turn
from onprem.core.windows import Window
from onprem.engine.pcm import slice_as_float
from onprem.engine.quiet import quiet
from onprem.engine.solo_speech import passages, solo_speech

Vector: TypeAlias = npt.NDArray[np.float32]
EmbeddingNetwork: TypeAlias = Callable[[torch.Tensor], Vector]
"""(1, 1, samples) in -1..1 at 16 kHz -> (1, dimension)."""


def speaker_voices(
    network: EmbeddingNetwork, pcm: memoryview, turns: Sequence[Turn], cancel: CancelToken
) -> dict[str, list[float]]:
    """The voice of each speaker of `turns` in mono int16 samples at 16 kHz.

    A speaker with less than half a second alone has none.

    Raises Canceled after the passage in work.
    """
    voices = {}
    with quiet:
        for speaker, spans in sorted(solo_speech(turns).items()):
            total: Vector | None = None
            for passage in passages(spans):
                cancel.check()
                samples = _joined(pcm, passage)
                vector = len(samples) * _unit(network(torch.from_numpy(samples)[None, None])[0])
                total = vector if total is None else total + vector
            if total is not None:
                voices[speaker] = _unit(total).tolist()
    return voices


def _joined(pcm: memoryview, passage: Sequence[Window]) -> npt.NDArray[np.float32]:
    return np.concatenate([slice_as_float(pcm, *span) for span in passage])


def _unit(vector: Vector) -> Vector:
    unit: Vector = vector / np.linalg.norm(vector)
    return unit
