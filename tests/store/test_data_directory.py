"""The data directory: made for its owner only, and held by one server."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from onprem.errors import DataDirectoryBusy, DataDirectoryForeign, DataDirectoryMissing
from onprem.store.data_directory import DataDirectory


@pytest.fixture
def directory(tmp_path: Path) -> DataDirectory:
    directory = DataDirectory(tmp_path / "data", tmp_path / "elsewhere" / "keys")
    directory.create()
    return directory


def test_its_folders_are_for_the_owner_only(directory: DataDirectory) -> None:
    for folder in (directory.root, directory.blobs, directory.slots.parent):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_the_lock_keeps_a_second_one_out(directory: DataDirectory) -> None:
    lock = directory.lock()
    with pytest.raises(DataDirectoryBusy):
        directory.lock()
    lock.release()
    directory.lock().release()


def test_a_shared_lock_still_keeps_a_second_server_out(directory: DataDirectory) -> None:
    lock = directory.lock()
    lock.share()
    with pytest.raises(DataDirectoryBusy):
        directory.lock()
    lock.release()


def test_the_lock_of_a_killed_process_is_free(directory: DataDirectory) -> None:
    script = (
        "import sys, time, pathlib; from onprem.store.data_directory import DirectoryLock;"
        "lock = DirectoryLock(pathlib.Path(sys.argv[1])); print('held', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", script, str(directory.root / "lock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
        with pytest.raises(DataDirectoryBusy):
            directory.lock()
        holder.kill()
    directory.lock().release()


def test_a_directory_without_a_database_is_missing(directory: DataDirectory) -> None:
    with pytest.raises(DataDirectoryMissing):
        directory.check()
    directory.database.touch()
    directory.check()


def test_another_user_is_told_to_become_the_owner(
    directory: DataDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory.database.touch()
    owner = directory.root.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(DataDirectoryForeign, match="belongs to the user"):
        directory.check()
