"""The data directory: its files, its owner, and the lock that keeps a second server out."""

import fcntl
import os
import pwd
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from onprem.errors import (
    DataDirectoryBusy,
    DataDirectoryForeign,
    DataDirectoryMissing,
    FolderUnusable,
)

MARK = "onprem.sqlite3"

SHARE_SECONDS = 1.0


class DataDirectory:
    """Paths, and nothing that is not a path of ours."""

    def __init__(self, root: Path, keys_dir: Path) -> None:
        self.root = root
        self.database = root / MARK
        self.blobs = root / "blobs"
        self.slots = keys_dir / "record.slots"
        self.staging = root / "restoring"
        """Where a restore builds what it then puts in place."""
        self._lock = root / "lock"
        self._keys_dir = keys_dir

    def create(self) -> None:
        """Make the folders (0700); one that exists already must be so.

        Raises:
            FolderUnusable: it is somebody else's, others may enter it, or it cannot be made.
        """
        for folder in (self.root, self._keys_dir, self.blobs):
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                status = folder.stat()
            except OSError as error:
                raise FolderUnusable(path=folder, why=error.strerror) from error
            if status.st_uid != os.geteuid():
                raise FolderUnusable(path=folder, why=f"it belongs to {_user(status.st_uid)}")
            if status.st_mode & 0o077:
                raise FolderUnusable(path=folder, why="others may enter it")

    def check(self) -> None:
        """Raises DataDirectoryMissing, or DataDirectoryForeign for anyone but its owner."""
        # First the owner: what lies in somebody else's folder cannot even be asked for.
        owner = _owner(self.root)
        if owner is None:
            raise DataDirectoryMissing(path=self.root)
        if owner != os.geteuid():
            raise DataDirectoryForeign(path=self.root, owner=_user(owner), user=_user(os.geteuid()))
        if not self.database.exists():
            raise DataDirectoryMissing(path=self.root)

    def known_files(self) -> set[Path]:
        """Every file that may lie here besides blobs and, where they are kept here, models."""
        sqlite = {Path(f"{self.database}{suffix}") for suffix in ("", "-wal", "-shm")}
        return sqlite | {self.slots, self._lock}

    def serving(self) -> bool:
        """Whether a server runs here: it holds the lock shared.

        Looking takes the lock for a moment.
        """
        try:
            fd = os.open(self._lock, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:  # it starts, or somebody works on the directory alone
            return False
        else:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            return False
        finally:
            os.close(fd)

    def lock(self) -> "DirectoryLock":
        """The exclusive lock. Raises DataDirectoryBusy."""
        return DirectoryLock(self._lock)

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Whether no server is at work here; if so, none can start within the block."""
        try:
            lock = self.lock()
        except DataDirectoryBusy:
            yield False
            return
        try:
            yield True
        finally:
            lock.release()


class DirectoryLock:
    """Exclusive at first; `share` keeps others from taking it while the server runs."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._fd)
            raise DataDirectoryBusy(path=path.parent) from None

    def share(self) -> None:
        """For a moment the lock is free: who looks whether it is, as doctor does, is waited for.

        Blocks for `SHARE_SECONDS` at most. Raises DataDirectoryBusy where another takes it.
        """
        patience = time.monotonic() + SHARE_SECONDS
        while True:
            try:
                fcntl.flock(self._fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() > patience:
                    raise DataDirectoryBusy(path=self._path.parent) from None
            time.sleep(0.01)

    def release(self) -> None:
        os.close(self._fd)


def _owner(folder: Path) -> int | None:
    """None: there is no such folder. Where we may not look, the owner of the folder in the way."""
    try:
        return folder.stat().st_uid
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError:
        return _owner(folder.parent)


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
