"""int16 samples for models that want float32, converted slice by slice.

A day of 16 kHz int16 is 2.8 GB and would be 5.5 GB in float32, so a recording is never converted
as a whole: pyannote gets an int16 tensor over the caller's memory, and each place that cuts a
slice out of it converts that slice.
"""

import warnings

import numpy as np
import numpy.typing as npt
import torch

from onprem.engine.libraries import Audio

SAMPLE_RATE = 16_000
FULL_SCALE = 32_768.0


def as_tensor(pcm: memoryview) -> torch.Tensor:
    """(1, samples) int16 tensor that shares the memory of `pcm`: nothing is copied."""
    with warnings.catch_warnings():
        # The worker copy is sealed against writing, and nobody here writes.
        warnings.filterwarnings("ignore", message="The given buffer is not writable")
        return torch.frombuffer(pcm, dtype=torch.int16).unsqueeze(0)


def to_float(samples: torch.Tensor) -> torch.Tensor:
    """int16 samples as float32 in -1..1; float samples as they are."""
    if samples.dtype == torch.int16:
        return samples.to(torch.float32) / FULL_SCALE
    return samples


def slice_as_float(pcm: memoryview, start: float, end: float) -> npt.NDArray[np.float32]:
    """The samples between two times in seconds, as float32 in -1..1."""
    samples = np.frombuffer(pcm, dtype=np.int16)
    part = samples[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)]
    return part.astype(np.float32) / np.float32(FULL_SCALE)


class SliceAudio(Audio):
    """pyannote's reader of slices, for int16 waveforms; `crop` returns float32."""

    def downmix_and_resample(
        self, waveform: torch.Tensor, sample_rate: int, channel: int | None = None
    ) -> tuple[torch.Tensor, int]:
        result: tuple[torch.Tensor, int] = super().downmix_and_resample(
            to_float(waveform), sample_rate, channel
        )
        return result
