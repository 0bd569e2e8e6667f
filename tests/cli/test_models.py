"""`onprem models`, without downloading anything."""

from pathlib import Path

import pytest

from tests.cli.conftest import Onprem


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONPREM_MODELS__DIR", str(tmp_path / "models"))


def test_the_catalogue_names_licences(onprem: Onprem) -> None:
    listed = onprem("models", "list", "--catalogue", "--json").json["catalogue"]
    known = {model["id"]: model for model in listed}
    assert known["segmentation-3.0"]["licence"] == "MIT"
    assert known["campplus-zh-en"]["licence"] == "Apache-2.0"
    assert "community-1" in known


def test_what_is_not_there_is_said(onprem: Onprem, tmp_path: Path) -> None:
    assert onprem("models", "list", "--json").json == {"models": []}
    for command in ("verify", "remove"):
        done = onprem("models", command, "whisper-base")
        assert done.code == 5
        assert "onprem models fetch starter" in done.err
    (tmp_path / "empty").mkdir()
    done = onprem("models", "import", "empty")
    assert done.code == 5
    assert "not laid out like a model" in done.err


@pytest.mark.models
def test_installed_models_are_imported_verified_and_removed(
    onprem: Onprem, models_folder: Path, tmp_path: Path
) -> None:
    source = str(models_folder / "whisper-tiny.en")
    assert onprem("models", "import", source).code == 0
    assert onprem("models", "verify").code == 0

    weights = tmp_path / "models" / "whisper-tiny.en" / "model.bin"
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.chmod(0o600)
    weights.write_bytes(content)

    damaged = onprem("models", "verify", "whisper-tiny.en")
    assert damaged.code == 5
    assert "model.bin" in damaged.err
    assert onprem("models", "remove", "whisper-tiny.en").code == 0
    assert onprem("models", "list", "--json").json == {"models": []}
