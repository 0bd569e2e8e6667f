"""A pipeline folder that loads, laid out like pyannote/speaker-diarization-community-1.

Its segmentation is real (segmentation-3.0 has the same architecture and output). The embedding is
the real architecture with random weights and the PLDA holds made-up numbers, for those two cannot
be had here: who is who is meaningless, everything else is as with the real folder.
"""

import shutil
from pathlib import Path

import numpy as np
import torch

from onprem.engine.libraries import Problem, Resolution, Specifications
from tests.support.model_folders import COMMUNITY_CONFIG


def make_community_folder(parent: Path, segmentation: Path) -> Path:
    """`segmentation` is the `pytorch_model.bin` of segmentation-3.0."""
    folder = parent / "speaker-diarization-community-1"
    for name in ("segmentation", "embedding", "plda"):
        (folder / name).mkdir(parents=True)
    shutil.copy(segmentation, folder / "segmentation" / "pytorch_model.bin")
    write_embedding(folder / "embedding" / "pytorch_model.bin")
    write_plda(folder / "plda", dimension=256)
    (folder / "config.yaml").write_text(COMMUNITY_CONFIG)
    return folder


def write_embedding(path: Path) -> None:
    """What Lightning saves of a WeSpeaker ResNet34, without training."""
    # Only now: by the import of `libraries` above, pyannote.audio can be imported.
    from pyannote.audio.models.embedding import WeSpeakerResNet34

    torch.manual_seed(0)
    model = WeSpeakerResNet34()
    model.specifications = Specifications(
        problem=Problem.REPRESENTATION, resolution=Resolution.CHUNK, duration=5.0
    )
    checkpoint = {
        "pytorch-lightning_version": "2.6.0",
        "state_dict": model.state_dict(),
        "hyper_parameters": dict(model.hparams),
    }
    model.on_save_checkpoint(checkpoint)
    torch.save(checkpoint, path)


def write_plda(folder: Path, *, dimension: int, reduced: int = 128) -> tuple[Path, Path]:
    """(xvec_transform.npz, plda.npz) for embeddings of `dimension`, reduced by the LDA."""
    random = np.random.default_rng(7)
    transform, plda = folder / "xvec_transform.npz", folder / "plda.npz"
    np.savez(
        transform,
        mean1=np.zeros(dimension),
        mean2=np.zeros(reduced),
        lda=np.linalg.qr(random.normal(size=(dimension, reduced)))[0],
    )
    np.savez(
        plda,
        mu=np.zeros(reduced),
        tr=np.linalg.qr(random.normal(size=(reduced, reduced)))[0],
        psi=np.sort(random.uniform(0.5, 5, reduced))[::-1],
    )
    return transform, plda
