"""The data directory: its files, its owner, and the lock that keeps a second server out."""

import fcntl
import os
import pwd
from pathlib import Path

from onprem.errors import (
    DataDirectoryBusy,
    DataDirectoryForeign,
    DataDirectoryMissing,
    FolderUnusable,
)

MARK = "onprem.sqlite3"


class DataDirectory:
    """Paths, and nothing that is not a path of ours."""

    def __init__(self, root: Path, keys_dir: Path) -> None:
        self.root = root
        self.database = root / MARK
        self.blobs = root / "blobs"
        self.slots = keys_dir / "record.slots"
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

    def lock(self) -> "DirectoryLock":
        """The exclusive lock. Raises DataDirectoryBusy."""
        return DirectoryLock(self._lock)


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
        """For a moment the lock is free. Raises DataDirectoryBusy where another takes it then."""
        try:
            fcntl.flock(self._fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataDirectoryBusy(path=self._path.parent) from None

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
