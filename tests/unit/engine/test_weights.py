"""Checkpoints: what is not plain weights of a known network is refused before it is loaded."""

import os
from pathlib import Path

import pytest
import torch

from onprem.engine.campplus import CamPlusPlus
from onprem.engine.weights import load_campplus, load_pyannote_model
from onprem.errors import ModelFolderUnrecognised, ModelUnsafe
from tests.support.model_folders import CallsOnLoad


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "pytorch_model.bin"


def test_code_in_a_checkpoint_is_refused(path: Path, tmp_path: Path) -> None:
    torch.save({"state_dict": CallsOnLoad(os.mkdir, str(tmp_path / "ran"))}, path)
    for load in (load_pyannote_model, load_campplus):
        with pytest.raises(ModelUnsafe, match="mkdir"):
            load(path, model_id="evil")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [{}, {"pyannote.audio": None}, [1.0]])
def test_another_kind_of_checkpoint_is_said_to_be_one(path: Path, content: object) -> None:
    torch.save(content, path)
    with pytest.raises(ModelFolderUnrecognised, match="no pyannote checkpoint"):
        load_pyannote_model(path, model_id="odd")
    with pytest.raises(ModelFolderUnrecognised, match=r"no CAM\+\+ weights"):
        load_campplus(path, model_id="odd")


def test_campplus_weights_load_into_every_parameter(path: Path) -> None:
    saved = CamPlusPlus().state_dict()
    torch.save(saved, path)
    loaded = load_campplus(path, model_id="campplus-zh-en")
    assert not loaded.training
    assert all(torch.equal(value, saved[name]) for name, value in loaded.state_dict().items())


@pytest.mark.models
def test_the_starter_weights_are_of_these_networks(models_folder: Path) -> None:
    load_campplus(
        models_folder / "campplus-zh-en/campplus_cn_en_common.pt", model_id="campplus-zh-en"
    )
    model = load_pyannote_model(
        models_folder / "segmentation-3.0/pytorch_model.bin", model_id="segmentation-3.0"
    )
    assert model.specifications.powerset
