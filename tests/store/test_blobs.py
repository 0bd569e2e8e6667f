"""The folder of blobs: what lies in it, and a disk without room for one more."""

import errno
import os
from pathlib import Path

import pytest

from onprem.errors import DataDirectoryDamaged, StorageFull
from onprem.store.blobs import BlobFolder

RECORD = b"r" * 16


@pytest.fixture
def blobs(tmp_path: Path) -> BlobFolder:
    return BlobFolder(tmp_path / "blobs")


def test_a_folder_of_the_filesystem_is_no_blob(blobs: BlobFolder, tmp_path: Path) -> None:
    blobs.add(RECORD, b"ciphertext")
    (tmp_path / "blobs" / "lost+found").mkdir()
    assert blobs.records() == {RECORD}


@pytest.mark.parametrize("name", [".DS_Store", "abcd", RECORD.hex() + ".part"])
def test_a_foreign_file_is_named(blobs: BlobFolder, tmp_path: Path, name: str) -> None:
    (tmp_path / "blobs" / name).touch()
    with pytest.raises(DataDirectoryDamaged) as raised:
        blobs.records()
    assert f"{tmp_path / 'blobs' / name} is no file of ours" in str(raised.value)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_no_room_for_a_name_is_storage_full(
    blobs: BlobFolder, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def full(*_: object) -> int:
        raise OSError(number, "no room")

    monkeypatch.setattr(os, "open", full)
    with pytest.raises(StorageFull):
        blobs.add(RECORD, b"ciphertext")
