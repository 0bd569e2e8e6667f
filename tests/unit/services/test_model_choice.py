"""Which model answers to a name: ours, an alias, or, with a warning, the default."""

from pathlib import Path

import pytest

from onprem.config.settings import Models
from onprem.engine.library import ModelLibrary
from onprem.faults import Fault
from onprem.services.model_choice import (
    HOSTED_DIARIZATION,
    HOSTED_TRANSCRIPTION,
    Choice,
    ModelChoice,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    installed = tmp_path / "models" / "whisper-small"
    installed.mkdir(parents=True)
    (installed / "manifest.json").write_text("{}")
    return tmp_path / "models"


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


def test_the_starter_is_there_beside_another_default(folder: Path) -> None:
    assert choose(folder, diarization="own").diarization("starter") == Choice("starter")


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
