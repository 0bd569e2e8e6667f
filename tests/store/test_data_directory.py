"""The data directory: made for its owner only, and held by one server."""

import fcntl
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from onprem.errors import (
    DataDirectoryBusy,
    DataDirectoryForeign,
    DataDirectoryMissing,
    FolderUnusable,
)
from onprem.store import data_directory
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


def test_a_directory_that_nobody_else_can_look_into_is_foreign_too(
    directory: DataDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def barred(path: Path, **_: object) -> bool:
        raise PermissionError(path)

    owner = directory.root.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    monkeypatch.setattr(Path, "exists", barred)
    with pytest.raises(DataDirectoryForeign):
        directory.check()

    stat = Path.stat

    def bars_what_lies_below(path: Path, **options: bool) -> os.stat_result:
        if path == directory.root:
            raise PermissionError(path)
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", bars_what_lies_below)
    with pytest.raises(DataDirectoryForeign):
        directory.check()


def test_a_directory_that_is_nowhere_is_missing(tmp_path: Path) -> None:
    with pytest.raises(DataDirectoryMissing):
        DataDirectory(tmp_path / "no" / "where", tmp_path / "keys").check()


def test_a_folder_that_others_may_enter_is_refused(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.mkdir()
    keys.chmod(0o755)
    with pytest.raises(FolderUnusable, match="others may enter it") as raised:
        DataDirectory(tmp_path / "data", keys).create()
    assert f"chmod 700 {keys}" in raised.value.advice
    keys.chmod(0o700)
    DataDirectory(tmp_path / "data", keys).create()


def test_a_folder_of_somebody_else_is_refused(
    directory: DataDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = directory.root.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(FolderUnusable, match="it belongs to"):
        directory.create()


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FolderUnusable, match="Not a directory"):
        DataDirectory(tmp_path / "file" / "data", tmp_path / "keys").create()


def test_who_only_looks_at_the_lock_does_not_stop_a_start(directory: DataDirectory) -> None:
    lock = directory.lock()
    fcntl.flock(lock._fd, fcntl.LOCK_UN)
    look = directory.lock()
    away = threading.Timer(0.05, look.release)
    away.start()
    lock.share()
    away.join()
    with pytest.raises(DataDirectoryBusy):
        directory.lock()
    lock.release()


def test_a_lock_that_is_lost_while_it_is_shared_is_busy(
    directory: DataDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_directory, "SHARE_SECONDS", 0.05)
    lock = directory.lock()
    fcntl.flock(lock._fd, fcntl.LOCK_UN)  # as the kernel does it while it converts the lock
    other = directory.lock()
    with pytest.raises(DataDirectoryBusy):
        lock.share()
    other.release()
    lock.release()
