"""Which model answers to a name: ours, an alias, or, with a warning, the default."""

from pathlib import Path

import pytest

from onprem.config.settings import Models
from onprem.engine.catalogue import CATALOGUE, ModelKind
from onprem.engine.library import ModelLibrary
from onprem.engine.manifest import Manifest, write_manifest
from onprem.faults import Fault
from onprem.services.model_choice import (
    HOSTED_DIARIZATION,
    HOSTED_TRANSCRIPTION,
    Choice,
    ModelChoice,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With a model of each kind that is nobody's, but not with the starter pack."""
    folder = tmp_path / "models"
    install(folder, "whisper-small", "transcription")
    install(folder, "own-pipeline", "diarization")
    return folder


def install(folder: Path, model_id: str, kind: ModelKind) -> None:
    (folder / model_id).mkdir(parents=True)
    known = CATALOGUE.get(model_id)
    files = known.files if known else {}
    manifest = Manifest(id=model_id, kind=kind, licence="MIT", source="here", files=files)
    write_manifest(folder / model_id, manifest)


def install_starter(folder: Path) -> None:
    install(folder, "segmentation-3.0", "segmentation")
    install(folder, "campplus-zh-en", "embedding")


def choose(folder: Path, **settings: object) -> ModelChoice:
    return ModelChoice(Models(dir=folder, **settings), ModelLibrary(folder))  # type: ignore[arg-type]


def test_no_name_means_the_default(folder: Path) -> None:
    choice = choose(folder)
    assert choice.diarization(None) == Choice("starter")
    assert choice.transcription(None) == Choice("whisper-base")


def test_the_default_by_name_needs_no_warning(folder: Path) -> None:
    assert choose(folder).transcription("whisper-base") == Choice("whisper-base")


def test_an_installed_model_is_taken(folder: Path) -> None:
    assert choose(folder).transcription("whisper-small") == Choice("whisper-small")
    assert choose(folder).diarization("own-pipeline") == Choice("own-pipeline")


def test_the_starter_is_there_beside_another_default_once_both_its_models_are(
    folder: Path,
) -> None:
    choice = choose(folder, diarization="own-pipeline")
    assert isinstance(choice.diarization("starter"), Fault)
    install(folder, "segmentation-3.0", "segmentation")
    assert isinstance(choice.diarization("starter"), Fault)
    install(folder, "campplus-zh-en", "embedding")
    assert choice.diarization("starter") == Choice("starter")


def test_a_model_of_another_kind_is_refused(folder: Path) -> None:
    install_starter(folder)
    choice = choose(folder)
    for name in ("whisper-small", "segmentation-3.0", "campplus-zh-en"):
        refused = choice.diarization(name)
        assert isinstance(refused, Fault) and "no such diarization model" in refused.message
    for name in ("own-pipeline", "segmentation-3.0", "starter"):
        refused = choice.transcription(name)
        assert isinstance(refused, Fault) and "no such transcription model" in refused.message


def test_a_model_whose_manifest_is_damaged_is_refused(folder: Path) -> None:
    (folder / "whisper-small" / "manifest.json").write_text("{}")
    assert isinstance(choose(folder).transcription("whisper-small"), Fault)


@pytest.mark.parametrize("target", ["nobody", "whisper-small"])
def test_an_alias_that_leads_to_no_such_model_names_it(folder: Path, target: str) -> None:
    refused = choose(folder, aliases={"precision-2": target}).diarization("precision-2")
    assert isinstance(refused, Fault) and refused.field == "model"
    assert f"stands for {target} here, which is no diarization model" in refused.message


def test_an_alias_gives_no_warning_even_when_strict(folder: Path) -> None:
    choice = choose(folder, aliases={"precision-2": "starter"}, strict=True)
    assert choice.diarization("precision-2") == Choice("starter")


@pytest.mark.parametrize("name", sorted(HOSTED_DIARIZATION))
def test_a_hosted_diarization_model_falls_back_and_says_so(folder: Path, name: str) -> None:
    chosen = choose(folder).diarization(name)
    assert isinstance(chosen, Choice)
    assert chosen.model == "starter"
    assert chosen.warning == f"{name} is not on this server; starter is used instead."


@pytest.mark.parametrize("name", sorted(HOSTED_TRANSCRIPTION))
def test_a_hosted_transcription_model_falls_back_and_says_so(folder: Path, name: str) -> None:
    chosen = choose(folder).transcription(name)
    assert isinstance(chosen, Choice)
    assert chosen.model == "whisper-base"
    assert chosen.warning is not None and name in chosen.warning


def test_strict_refuses_a_hosted_model(folder: Path) -> None:
    refused = choose(folder, strict=True).diarization("precision-2")
    assert isinstance(refused, Fault) and refused.field == "model"


@pytest.mark.parametrize("name", ["nobody", "../whisper-small", "", "whisper-small/../x"])
def test_an_unknown_model_is_refused(folder: Path, name: str) -> None:
    refused = choose(folder).transcription(name)
    assert isinstance(refused, Fault)
    assert refused.field == "transcriptionConfig.model"
    assert "onprem models list" in refused.message
