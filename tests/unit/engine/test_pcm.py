"""int16 becomes float32 slice by slice, bit-exact, and nothing is copied as a whole."""

import mmap

import numpy as np
import pytest
import torch
from pyannote.core import Segment

from onprem.engine.libraries import Audio
from onprem.engine.pcm import SAMPLE_RATE, SliceAudio, as_tensor, slice_as_float, to_float


@pytest.fixture
def samples() -> np.ndarray:
    return np.random.default_rng(0).integers(-32768, 32768, 3 * SAMPLE_RATE, dtype=np.int16)


def test_the_tensor_shares_the_memory(samples: np.ndarray) -> None:
    tensor = as_tensor(memoryview(samples))
    assert tensor.shape == (1, len(samples))
    assert tensor.data_ptr() == samples.ctypes.data


def test_sealed_memory_is_no_reason_for_a_warning(samples: np.ndarray) -> None:
    with mmap.mmap(-1, samples.nbytes) as room:
        room[:] = samples.tobytes()
        tensor = as_tensor(memoryview(room).toreadonly().cast("h"))
        assert tensor[0, 5] == samples[5]
        del tensor


def test_the_range_is_minus_one_to_one() -> None:
    extremes = torch.tensor([-32768, 0, 16384, 32767], dtype=torch.int16)
    assert to_float(extremes).tolist() == [-1.0, 0.0, 0.5, 32767 / 32768]
    assert to_float(torch.tensor([0.25])).item() == 0.25


def test_a_slice_is_the_same_for_both_libraries(samples: np.ndarray) -> None:
    pcm = memoryview(samples)
    file = {"waveform": as_tensor(pcm), "sample_rate": SAMPLE_RATE}
    cropped, _ = SliceAudio(SAMPLE_RATE, "downmix").crop(file, Segment(0.5, 1.25))
    np.testing.assert_array_equal(cropped.numpy()[0], slice_as_float(pcm, 0.5, 1.25))
    floats = {"waveform": to_float(as_tensor(pcm)), "sample_rate": SAMPLE_RATE}
    stock, _ = Audio(SAMPLE_RATE, "downmix").crop(floats, Segment(0.5, 1.25))
    assert torch.equal(stock, cropped)
