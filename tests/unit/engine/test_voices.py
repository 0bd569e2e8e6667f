"""Voices: one vector of length 1 for each speaker, from passages weighted by their length."""

import numpy as np
import pytest
import torch

from onprem.core.cancel import Canceled, CancelReason, CancelToken
from onprem.core.speech import Turn
from onprem.engine.voices import speaker_voices

RATE = 16_000


def recording(*parts: tuple[float, int]) -> memoryview:
    """Samples of (seconds, level) one after another."""
    levels = [np.full(round(seconds * RATE), level, dtype=np.int16) for seconds, level in parts]
    return memoryview(np.concatenate(levels).tobytes()).cast("h")


def levels_as_vector(waveforms: torch.Tensor) -> np.ndarray:
    """An "embedding" of no certain length: which share of the samples is of which level."""
    assert waveforms.shape[:2] == (1, 1) and waveforms.dtype == torch.float32
    shares = [float((waveforms == level / 32768).float().mean()) for level in (1, 2)]
    return 7 * np.array([shares])


def voices(pcm: memoryview, *turns: Turn) -> dict[str, list[float]]:
    return speaker_voices(levels_as_vector, pcm, turns, CancelToken())


def test_a_voice_is_heard_where_nobody_else_speaks() -> None:
    pcm = recording((4, 1), (2, 0), (4, 2))
    found = voices(pcm, Turn("A", 0, 6), Turn("B", 4, 10))
    assert found == {"A": [1.0, 0.0], "B": [0.0, 1.0]}


def test_passages_count_by_their_length() -> None:
    [voice] = voices(recording((8, 1), (1, 0), (4, 2)), Turn("A", 0, 8), Turn("A", 9, 13)).values()
    assert voice == pytest.approx([2 / 5**0.5, 1 / 5**0.5], abs=1e-6)


def test_short_turns_are_heard_as_one() -> None:
    heard: list[int] = []

    def network(waveforms: torch.Tensor) -> np.ndarray:
        heard.append(waveforms.shape[-1])
        return levels_as_vector(waveforms)

    turns = [Turn("A", start, start + 0.5) for start in range(4)]
    speaker_voices(network, recording((10, 1)), turns, CancelToken())
    assert heard == [2 * RATE]


def test_who_says_too_little_has_no_voice() -> None:
    assert voices(recording((10, 1)), Turn("A", 0, 0.4), Turn("B", 1, 3)).keys() == {"B"}


def test_a_cancel_stops_before_the_next_passage() -> None:
    cancel = CancelToken()
    calls: list[int] = []

    def network(waveforms: torch.Tensor) -> np.ndarray:
        calls.append(waveforms.shape[-1])
        cancel.cancel(CancelReason.USER)
        return levels_as_vector(waveforms)

    with pytest.raises(Canceled):
        speaker_voices(network, recording((40, 1)), [Turn("A", 0, 40)], cancel)
    assert len(calls) == 1
