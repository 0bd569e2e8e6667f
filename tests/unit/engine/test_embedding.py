"""CAM++ behind pyannote's embedding interface: real voices, real masks."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from onprem.engine.campplus import DIMENSION, CamPlusPlus
from onprem.engine.embedding import SpeakerEmbedding
from onprem.engine.pcm import SAMPLE_RATE, as_tensor, to_float
from onprem.engine.weights import load_campplus
from tests.support.pyannote_sample import sample_pcm

FRAMES = 589  # of the segmentation in a window of 10 s


def test_the_network_halves_the_rate_and_gives_192_numbers() -> None:
    network = CamPlusPlus().eval()
    for frames in (10, 99, 998):
        assert network(torch.randn(2, frames, 80)).shape == (2, DIMENSION)


@pytest.fixture(scope="module")
def embed(models_folder: Path) -> Any:
    # Only now: by the imports above, pyannote.audio can be imported.
    from pyannote.audio.pipelines.speaker_verification import PretrainedSpeakerEmbedding

    path = models_folder / "campplus-zh-en" / "campplus_cn_en_common.pt"
    return PretrainedSpeakerEmbedding(
        SpeakerEmbedding(load_campplus(path, model_id="campplus-zh-en"))
    )


def voice(start: float, end: float) -> torch.Tensor:
    waveform = to_float(as_tensor(sample_pcm()))
    return waveform[None, :, int(start * SAMPLE_RATE) : int(end * SAMPLE_RATE)]


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.vdot(one, other) / np.linalg.norm(one) / np.linalg.norm(other))


@pytest.mark.models
def test_pyannote_takes_it_as_it_is(embed: Any) -> None:
    assert (embed.dimension, embed.sample_rate, embed.metric) == (192, 16000, "cosine")
    assert embed.min_num_samples == 400 + 9 * 160  # ten frames of 25 ms, every 10 ms


@pytest.mark.models
def test_one_voice_is_nearer_to_itself(embed: Any) -> None:
    one, again, other = (embed(voice(*span))[0] for span in ((11, 14), (19, 21), (22, 27)))
    assert cosine(one, again) > 0.6 > 0.4 > cosine(one, other)


@pytest.mark.models
def test_a_mask_selects_what_is_heard(embed: Any) -> None:
    both = voice(11, 21)
    masks = torch.zeros(3, FRAMES)
    masks[0, : FRAMES * 3 // 10] = 1  # 11-14 s: the first speaker
    masks[1, FRAMES * 4 // 10 : FRAMES * 6 // 10] = 1  # 15-17 s: the second
    first, second, nobody = embed(both.repeat(3, 1, 1), masks=masks)
    assert cosine(first, embed(voice(11, 14))[0]) > 0.9
    assert cosine(second, embed(voice(15, 17))[0]) > 0.9
    assert cosine(first, second) < 0.5
    assert np.isnan(nobody).all()


@pytest.mark.models
def test_a_batch_does_not_mix_windows(embed: Any) -> None:
    windows = torch.cat([voice(11, 13), voice(22, 24), voice(22, 24)])
    masks = torch.ones(3, FRAMES)
    together = embed(windows, masks=masks)
    alone = [embed(window[None], masks=masks[:1])[0] for window in windows]
    np.testing.assert_allclose(together, alone, atol=1e-5)
