"""A customer's folder in the layout of community-1: imported, verified, loaded and run, offline."""

import shutil
from pathlib import Path

import pytest
import torch

from onprem.core.cancel import CancelToken
from onprem.core.speech import Task
from onprem.engine.engine import SpeechEngine
from onprem.engine.importing import import_folder
from onprem.engine.libraries import clustering
from onprem.engine.library import ModelLibrary
from onprem.engine.pipeline import imported_pipeline
from onprem.errors import ModelDamaged, ModelFolderUnrecognised, ModelUnsafe
from tests.support.community_folder import make_community_folder
from tests.support.model_folders import COMMUNITY_CONFIG
from tests.support.pyannote_sample import SAMPLE_RATE, sample_pcm

pytestmark = pytest.mark.models


@pytest.fixture
def folder(tmp_path: Path, models_folder: Path) -> Path:
    return make_community_folder(tmp_path, models_folder / "segmentation-3.0/pytorch_model.bin")


def test_it_runs_under_its_own_id(folder: Path, tmp_path: Path) -> None:
    library = ModelLibrary(tmp_path / "models")
    installed = import_folder(library, folder, progress=lambda sentence: None)
    engine = SpeechEngine(library.folder, installed.id, "whisper-tiny.en", "cpu")
    task = Task(diarization_model="community-1", turn_confidence=True)
    pcm = sample_pcm()[9 * SAMPLE_RATE : 20 * SAMPLE_RATE]
    found = engine.analyse(task, pcm, lambda *_: None, CancelToken())
    assert found.turns[0].speaker == "SPEAKER_00"
    assert found.exclusive
    assert {part: model.id for part, model in found.engine.items()} == {
        "diarization": "community-1",
        "embedding": "community-1",
    }


def test_its_embedding_gives_voices_beside_the_starter(
    folder: Path, tmp_path: Path, models_folder: Path
) -> None:
    library = ModelLibrary(tmp_path / "models")
    import_folder(library, folder, progress=lambda sentence: None)
    for name in ("segmentation-3.0", "campplus-zh-en"):
        shutil.copytree(models_folder / name, library.folder / name)
    engine = SpeechEngine(library.folder, "starter", "whisper-tiny.en", "cpu")
    task = Task(diarization_model="starter", voices=["community-1", "campplus-zh-en"])
    pcm = sample_pcm()[9 * SAMPLE_RATE : 20 * SAMPLE_RATE]
    found = engine.analyse(task, pcm, lambda *_: None, CancelToken())
    assert list(found.voices) == ["community-1", "campplus-zh-en"]
    lengths = [{len(one) for one in voices.values()} for voices in found.voices.values()]
    assert lengths == [{256}, {192}]
    assert found.engine["embedding"].id == "campplus-zh-en"


@pytest.mark.parametrize("kind", ["KMeansClustering", "OracleClustering"])
def test_a_clustering_that_must_be_told_is_refused(folder: Path, kind: str) -> None:
    (folder / "config.yaml").write_text(COMMUNITY_CONFIG.replace("VBxClustering", kind))
    with pytest.raises(ModelFolderUnrecognised, match=kind):
        imported_pipeline(folder)


def test_its_clustering_and_parameters_are_the_folders(folder: Path) -> None:
    pipeline = imported_pipeline(folder)
    assert isinstance(pipeline.clustering, clustering.VBxClustering)
    assert pipeline.embedding_exclude_overlap
    assert pipeline.parameters(instantiated=True) == {
        "segmentation": {"min_duration_off": 0.0},
        "clustering": {"threshold": 0.6, "Fa": 0.07, "Fb": 0.8},
    }


def test_a_file_that_changed_since_the_import_is_not_loaded(folder: Path, tmp_path: Path) -> None:
    library = ModelLibrary(tmp_path / "models")
    import_folder(library, folder, progress=lambda sentence: None)
    with (library.folder / "community-1/plda/plda.npz").open("ab") as file:
        file.write(b"x")
    engine = SpeechEngine(library.folder, "community-1", "whisper-tiny.en", "cpu")
    with pytest.raises(ModelDamaged, match="plda"):
        engine.load()


def test_parameters_that_do_not_fit_are_refused(folder: Path) -> None:
    (folder / "config.yaml").write_text(COMMUNITY_CONFIG.replace("Fa: 0.07", "Unknown: 0.07"))
    with pytest.raises(ModelFolderUnrecognised, match="config.yaml"):
        imported_pipeline(folder)


def test_a_checkpoint_of_another_architecture_is_refused(folder: Path) -> None:
    path = folder / "embedding/pytorch_model.bin"
    checkpoint = torch.load(path, weights_only=True)
    checkpoint["pyannote.audio"]["architecture"]["module"] = "antigravity"
    torch.save(checkpoint, path)
    with pytest.raises(ModelUnsafe, match="antigravity"):
        imported_pipeline(folder)
