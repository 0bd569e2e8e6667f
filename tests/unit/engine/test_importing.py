"""Folders that were copied in by hand: recognised, checked, copied whole, or refused with why."""

import os
from pathlib import Path

import pytest

from onprem.engine.catalogue import CATALOGUE, CatalogueModel
from onprem.engine.importing import import_folder
from onprem.engine.library import InstalledModel, ModelLibrary
from onprem.engine.manifest import read_manifest
from onprem.engine.model_files import record_of
from onprem.errors import (
    ModelDamaged,
    ModelFolderUnrecognised,
    ModelPresent,
    ModelUncheckable,
    ModelUnsafe,
)
from tests.support.model_folders import (
    COMMUNITY_CONFIG,
    CallsOnLoad,
    checkpoint,
    make_pipeline_folder,
    make_whisper_folder,
)


@pytest.fixture
def library(tmp_path: Path) -> ModelLibrary:
    return ModelLibrary(tmp_path / "models")


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    return make_pipeline_folder(tmp_path)


@pytest.fixture
def whisper(tmp_path: Path) -> Path:
    return make_whisper_folder(tmp_path)


def imported(library: ModelLibrary, folder: Path, as_id: str | None = None) -> InstalledModel:
    return import_folder(library, folder, as_id, progress=lambda sentence: None)


def refused(library: ModelLibrary, folder: Path, as_id: str | None = None) -> str:
    with pytest.raises(ModelFolderUnrecognised) as caught:
        imported(library, folder, as_id)
    assert not library.folder.exists()
    return str(caught.value)


def test_a_pipeline_is_recognised_by_its_folders_name(
    library: ModelLibrary, pipeline: Path
) -> None:
    model = imported(library, pipeline)
    assert (model.id, model.kind, model.licence) == ("community-1", "diarization", "CC-BY-4.0")
    assert read_manifest(model.folder).files.keys() == {
        "config.yaml",
        "README.md",
        "segmentation/pytorch_model.bin",
        "embedding/pytorch_model.bin",
        "plda/plda.npz",
        "plda/xvec_transform.npz",
    }
    assert library.verified("community-1") == model


def test_a_whisper_model_keeps_its_preprocessor(library: ModelLibrary, whisper: Path) -> None:
    model = imported(library, whisper)
    assert (model.id, model.kind) == ("faster-whisper-large-v3-turbo", "transcription")
    assert (model.folder / "preprocessor_config.json").exists()
    assert model.licence == "MIT"


def test_a_model_that_the_catalogue_does_not_know_gets_its_folders_name(
    library: ModelLibrary, whisper: Path
) -> None:
    model = imported(library, whisper.rename(whisper.parent / "our-whisper"))
    assert (model.id, model.licence) == ("our-whisper", "unknown")


def test_as_overrides_the_name(library: ModelLibrary, pipeline: Path) -> None:
    folder = pipeline.rename(pipeline.parent / "3f1a")
    assert imported(library, folder, "community-1").licence == "CC-BY-4.0"


@pytest.mark.parametrize("as_id", ["../up", "a/b", ".hidden", "starter"])
def test_an_id_that_cannot_be_one_is_refused(
    library: ModelLibrary, whisper: Path, as_id: str
) -> None:
    assert as_id in refused(library, whisper, as_id)


def test_an_id_of_another_kind_is_refused(library: ModelLibrary, whisper: Path) -> None:
    assert "community-1 is a diarization model" in refused(library, whisper, "community-1")


def test_an_installed_model_is_not_overwritten(library: ModelLibrary, whisper: Path) -> None:
    imported(library, whisper)
    with pytest.raises(ModelPresent):
        imported(library, whisper)


def test_other_weights_under_a_starter_models_id_are_refused(
    library: ModelLibrary, whisper: Path
) -> None:
    (whisper / "vocabulary.txt").write_text("")
    (whisper / "LICENSE").write_text("")
    with pytest.raises(ModelDamaged, match="LICENSE of the model whisper-base"):
        imported(library, whisper, "whisper-base")
    assert list(library.folder.iterdir()) == []


def test_a_starter_model_carried_over_by_hand_is_recognised_by_its_digests(
    library: ModelLibrary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    carried = tmp_path / "small-segmentation"
    weights = checkpoint(carried / "pytorch_model.bin", {"weight": [1.0]})
    (carried / "manifest.json").write_text("{}")
    known = CatalogueModel(
        id=carried.name,
        kind="segmentation",
        licence="MIT",
        title="A model for this test",
        source="https://example.com/small-segmentation",
        files={weights.name: record_of(weights)},
    )
    monkeypatch.setitem(CATALOGUE, known.id, known)
    model = imported(library, carried)
    assert (model.kind, model.licence) == ("segmentation", "MIT")
    library.remove(known.id)
    checkpoint(weights, {"weight": [2.0]})
    with pytest.raises(ModelDamaged, match=r"pytorch_model\.bin of the model small-segmentation"):
        imported(library, carried)


def test_a_checkpoint_that_runs_code_is_refused_and_not_run(
    library: ModelLibrary, pipeline: Path, tmp_path: Path
) -> None:
    proof = tmp_path / "executed"
    evil = CallsOnLoad(os.system, f"touch {proof}")
    checkpoint(pipeline / "embedding" / "pytorch_model.bin", evil)
    with pytest.raises(ModelUnsafe, match=r"embedding/pytorch_model\.bin .*posix\.system"):
        imported(library, pipeline)
    assert not proof.exists()
    assert list(library.folder.iterdir()) == []


def test_a_checkpoint_that_cannot_be_checked_is_refused(
    library: ModelLibrary, pipeline: Path
) -> None:
    (pipeline / "segmentation" / "pytorch_model.bin").write_bytes(b"\x80\x02}.")
    with pytest.raises(ModelUncheckable, match=r"segmentation/pytorch_model\.bin"):
        imported(library, pipeline)


def test_code_beside_the_weights_is_refused(library: ModelLibrary, pipeline: Path) -> None:
    (pipeline / "segmentation" / "Model.PY").write_text("")
    assert "segmentation/Model.PY is code" in refused(library, pipeline)


def test_a_link_out_of_the_folder_is_refused(
    library: ModelLibrary, whisper: Path, tmp_path: Path
) -> None:
    (tmp_path / "blob").write_bytes(b"elsewhere")
    (whisper / "tokenizer.json").unlink()
    (whisper / "tokenizer.json").symlink_to("../blob")
    assert "tokenizer.json is a link out of it" in refused(library, whisper)


@pytest.mark.parametrize("target", ["nowhere", "link", "."])
def test_links_to_no_file_are_refused(library: ModelLibrary, whisper: Path, target: str) -> None:
    (whisper / "link").symlink_to(target)
    assert "link leads" in refused(library, whisper)


def test_a_link_within_the_folder_is_copied_as_a_file(library: ModelLibrary, whisper: Path) -> None:
    (whisper / "blobs").mkdir()
    (whisper / "model.bin").rename(whisper / "blobs" / "1")
    (whisper / "model.bin").symlink_to("blobs/1")
    copied = imported(library, whisper).folder / "model.bin"
    assert not copied.is_symlink()
    assert copied.read_bytes() == (whisper / "blobs" / "1").read_bytes()


def test_hidden_folders_and_other_files_stay_behind(library: ModelLibrary, whisper: Path) -> None:
    (whisper / ".git").mkdir()
    (whisper / ".git" / "hook.sh").write_text("")
    (whisper / "diagram.gif").write_bytes(b"")
    model = imported(library, whisper)
    assert not (model.folder / ".git").exists()
    assert not (model.folder / "diagram.gif").exists()


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ("", "Expected `object`"),
        ("pipeline: [", "config.yaml"),
        (COMMUNITY_CONFIG.replace("SpeakerDiarization", "Resegmentation"), "Resegmentation, not"),
        (COMMUNITY_CONFIG.replace("$model/embedding", "pyannote/wespeaker"), "pyannote/wespeaker"),
        (COMMUNITY_CONFIG.replace("$model/plda", "$model/../plda"), "not a sub-folder"),
        (COMMUNITY_CONFIG.replace("$model/plda", "$model/plda@main"), "not a sub-folder"),
        (COMMUNITY_CONFIG.replace("    plda: $model/plda\n", ""), "VBxClustering needs plda"),
        (COMMUNITY_CONFIG + "preprocessors:\n  audio: {name: os.system}\n", "preprocessors"),
        (COMMUNITY_CONFIG + "#" * (64 << 10), "larger than"),
        ("!!python/object/apply:os.system [true]", "config.yaml"),
    ],
)
def test_a_config_that_reaches_beyond_its_folder_is_refused(
    library: ModelLibrary, pipeline: Path, config: str, why: str
) -> None:
    (pipeline / "config.yaml").write_text(config)
    assert why in refused(library, pipeline)


def test_a_pipeline_with_agglomerative_clustering_needs_no_plda(
    library: ModelLibrary, pipeline: Path
) -> None:
    config = COMMUNITY_CONFIG.replace("    plda: $model/plda\n", "")
    config = config.replace("VBxClustering", "AgglomerativeClustering")
    (pipeline / "config.yaml").write_text(config)
    model = imported(library, pipeline, "our-pipeline")
    assert not (model.folder / "plda").exists()


@pytest.mark.parametrize(
    "name", ["segmentation/pytorch_model.bin", "plda/plda.npz", "plda/xvec_transform.npz"]
)
def test_a_pipeline_without_one_of_its_files_is_refused(
    library: ModelLibrary, pipeline: Path, name: str
) -> None:
    (pipeline / name).unlink()
    assert f"{name} is not there" in refused(library, pipeline)


@pytest.mark.parametrize("name", ["model.bin", "tokenizer.json", "vocabulary.json"])
def test_a_whisper_model_without_one_of_its_files_is_refused(
    library: ModelLibrary, whisper: Path, name: str
) -> None:
    (whisper / name).unlink()
    assert name in refused(library, whisper)


def test_another_model_of_ctranslate2_is_refused(library: ModelLibrary, whisper: Path) -> None:
    (whisper / "model.bin").write_bytes(b"\x06\0\0\0\x10\0TransformerSpec\0")
    assert "not a Whisper model" in refused(library, whisper)


def test_a_folder_of_anything_else_and_a_file_are_refused(
    library: ModelLibrary, tmp_path: Path
) -> None:
    (tmp_path / "photos").mkdir()
    assert "neither config.yaml nor config.json" in refused(library, tmp_path / "photos")
    (tmp_path / "file").write_text("")
    assert "not a folder" in refused(library, tmp_path / "file")


def test_the_copy_tells_its_progress(library: ModelLibrary, whisper: Path) -> None:
    said: list[str] = []
    import_folder(library, whisper, progress=said.append)
    assert "Copying model.bin (0.0 MB)." in said
