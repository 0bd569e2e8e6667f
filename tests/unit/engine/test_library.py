"""What is loaded is what was installed: every way to change it is refused by name."""

import os
from pathlib import Path

import msgspec
import pytest

from onprem.engine.catalogue import SEGMENTATION, FileRecord
from onprem.engine.importing import import_folder
from onprem.engine.library import InstalledModel, ModelLibrary
from onprem.engine.manifest import MANIFEST, Manifest, read_manifest, write_manifest
from onprem.engine.model_files import record_of
from onprem.errors import ModelDamaged, ModelMissing
from tests.support.model_folders import make_whisper_folder

TURBO = "faster-whisper-large-v3-turbo"


@pytest.fixture
def library(tmp_path: Path) -> ModelLibrary:
    return ModelLibrary(tmp_path / "models")


@pytest.fixture
def turbo(library: ModelLibrary, tmp_path: Path) -> InstalledModel:
    return import_folder(library, make_whisper_folder(tmp_path), progress=lambda sentence: None)


def test_a_library_that_does_not_exist_yet_is_empty(library: ModelLibrary) -> None:
    assert library.installed() == []
    with pytest.raises(ModelMissing, match="whisper-base"):
        library.verified("whisper-base")


def test_a_sound_model_is_verified_and_listed_alike(
    library: ModelLibrary, turbo: InstalledModel
) -> None:
    assert library.verified(TURBO) == turbo
    assert library.installed() == [turbo]
    assert turbo.folder == library.folder / TURBO
    assert turbo.kind == "transcription"


def test_the_kind_of_a_model_is_known_without_hashing(
    library: ModelLibrary, turbo: InstalledModel
) -> None:
    assert library.kind_of(TURBO) == "transcription"
    assert library.kind_of("nobody") is None
    assert library.kind_of("../models/" + TURBO) is None
    (turbo.folder / MANIFEST).write_text("{}")
    assert library.kind_of(TURBO) is None


MULTILINGUAL = ["x"] * 51_865


@pytest.mark.parametrize(
    ("id", "file", "content", "translates"),
    [
        ("mine", "vocabulary.json", msgspec.json.encode(MULTILINGUAL), True),
        ("mine", "vocabulary.json", msgspec.json.encode(MULTILINGUAL[1:]), False),
        ("mine", "vocabulary.txt", "\n".join([*MULTILINGUAL, ""]).encode(), True),
        ("mine", "vocabulary.txt", "\n".join(MULTILINGUAL[1:]).encode(), False),
        ("mine", "vocabulary.json", b"{", False),
        (TURBO, "vocabulary.json", msgspec.json.encode(MULTILINGUAL), False),
        ("faster-whisper-large-v3", "vocabulary.json", msgspec.json.encode(MULTILINGUAL), True),
    ],
)
def test_a_multilingual_whisper_translates_unless_its_maker_says_no(
    library: ModelLibrary, tmp_path: Path, id: str, file: str, content: bytes, translates: bool
) -> None:
    folder = make_whisper_folder(tmp_path)
    (folder / "vocabulary.json").unlink()
    (folder / file).write_bytes(content)
    import_folder(library, folder, id, progress=lambda sentence: None)
    assert library.translates(id) is translates


def test_what_is_no_whisper_translates_not(library: ModelLibrary, turbo: InstalledModel) -> None:
    assert not library.translates("nobody")
    (turbo.folder / MANIFEST).write_text("{}")
    assert not library.translates(TURBO)


@pytest.mark.models
def test_of_the_starter_models_the_multilingual_one_translates(models_folder: Path) -> None:
    installed = [model.id for model in ModelLibrary(models_folder).installed()]
    assert [id for id in installed if ModelLibrary(models_folder).translates(id)] == [
        "whisper-base"
    ]


def test_a_flipped_bit_is_refused_and_names_the_file(
    library: ModelLibrary, turbo: InstalledModel
) -> None:
    weights = turbo.folder / "model.bin"
    changed = bytearray(weights.read_bytes())
    changed[40] ^= 1
    weights.write_bytes(changed)
    with pytest.raises(ModelDamaged, match=rf"^model\.bin of the model {TURBO}"):
        library.verified(TURBO)


def test_a_missing_file_is_refused(library: ModelLibrary, turbo: InstalledModel) -> None:
    (turbo.folder / "tokenizer.json").unlink()
    with pytest.raises(ModelDamaged, match=r"tokenizer\.json .* not there"):
        library.verified(TURBO)


def test_an_unlisted_file_is_refused(library: ModelLibrary, turbo: InstalledModel) -> None:
    (turbo.folder / "extra").mkdir()
    (turbo.folder / "extra" / "code.py").write_text("")
    with pytest.raises(ModelDamaged, match=r"extra/code\.py .* does not list it"):
        library.verified(TURBO)


def test_a_link_is_refused_even_to_the_same_bytes(
    library: ModelLibrary, turbo: InstalledModel, tmp_path: Path
) -> None:
    moved = tmp_path / "elsewhere.bin"
    (turbo.folder / "model.bin").rename(moved)
    (turbo.folder / "model.bin").symlink_to(moved)
    with pytest.raises(ModelDamaged, match=r"model\.bin .* symbolic link"):
        library.verified(TURBO)


def test_a_linked_folder_in_a_model_is_refused(
    library: ModelLibrary, turbo: InstalledModel, tmp_path: Path
) -> None:
    (turbo.folder / "loop").symlink_to(tmp_path)
    with pytest.raises(ModelDamaged, match="loop"):
        library.verified(TURBO)


def test_a_model_folder_that_is_a_link_is_refused(
    library: ModelLibrary, turbo: InstalledModel, tmp_path: Path
) -> None:
    turbo.folder.rename(tmp_path / "moved")
    turbo.folder.symlink_to(tmp_path / "moved")
    with pytest.raises(ModelDamaged, match="symbolic link"):
        library.verified(TURBO)


def test_a_pipe_in_place_of_a_file_is_refused_and_not_read(
    library: ModelLibrary, turbo: InstalledModel
) -> None:
    (turbo.folder / "model.bin").unlink()
    os.mkfifo(turbo.folder / "model.bin")
    with pytest.raises(ModelDamaged, match=r"model\.bin"):
        library.verified(TURBO)


def test_a_damaged_manifest_is_refused(library: ModelLibrary, turbo: InstalledModel) -> None:
    (turbo.folder / MANIFEST).write_bytes(b'{"id": "\xff')
    with pytest.raises(ModelDamaged, match=r"manifest\.json"):
        library.verified(TURBO)
    with pytest.raises(ModelDamaged, match=r"manifest\.json"):
        library.installed()


def test_a_manifest_under_another_name_is_refused(
    library: ModelLibrary, turbo: InstalledModel
) -> None:
    turbo.folder.rename(library.folder / "another")
    with pytest.raises(ModelDamaged, match=TURBO):
        library.verified("another")


def test_a_manifest_changed_together_with_a_catalogue_models_file_is_refused(
    library: ModelLibrary,
) -> None:
    folder = library.folder / SEGMENTATION.id
    folder.mkdir(parents=True)
    (folder / "pytorch_model.bin").write_bytes(b"other weights")
    forged = {name: FileRecord("0" * 64, 1) for name in SEGMENTATION.files}
    forged["pytorch_model.bin"] = record_of(folder / "pytorch_model.bin")
    forged["THIRD_PARTY_LICENSES"] = SEGMENTATION.files["THIRD_PARTY_LICENSES"]
    write_manifest(
        folder,
        Manifest(id=SEGMENTATION.id, kind="segmentation", licence="MIT", source="", files=forged),
    )
    with pytest.raises(ModelDamaged, match=r"pytorch_model\.bin of the model segmentation-3\.0"):
        library.verified(SEGMENTATION.id)


@pytest.mark.parametrize("model_id", ["../secret", ".hidden", "a/b", "", "x" * 65])
def test_ids_that_are_no_names_are_missing(library: ModelLibrary, model_id: str) -> None:
    with pytest.raises(ModelMissing):
        library.verified(model_id)
    with pytest.raises(ModelMissing):
        library.remove(model_id)


def test_the_digest_depends_on_the_files_and_not_on_their_order(turbo: InstalledModel) -> None:
    manifest = read_manifest(turbo.folder)
    turned = dict(reversed(manifest.files.items()))
    assert msgspec.structs.replace(manifest, files=turned).digest == turbo.digest
    turned["model.bin"] = FileRecord("0" * 64, 1)
    assert msgspec.structs.replace(manifest, files=turned).digest != turbo.digest


def test_remove_takes_away_all_of_a_model_even_a_damaged_one(
    library: ModelLibrary, turbo: InstalledModel
) -> None:
    (turbo.folder / MANIFEST).unlink()
    library.remove(TURBO)
    assert list(library.folder.iterdir()) == []


def test_what_is_no_model_is_not_listed(library: ModelLibrary, turbo: InstalledModel) -> None:
    (library.folder / "notes.txt").write_text("")
    (library.folder / "half").mkdir()
    assert [model.id for model in library.installed()] == [TURBO]
