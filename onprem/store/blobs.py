"""Ciphertext too large for a database row: one file each, named by its record id."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from onprem.errors import StorageFull
from onprem.store.seal import SEGMENT, TAG

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class BlobFolder:
    """Blocking calls; the caller keeps them off the event loop."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, exist_ok=True)

    def create(self, record: bytes) -> "BlobWriter":
        return BlobWriter(self._path(record))

    def add(self, record: bytes, ciphertext: bytes) -> None:
        """A whole blob, on the disk when this returns. Raises StorageFull."""
        with self.create(record) as blob:
            blob.write(ciphertext)
            blob.flush()
            blob.keep()

    def segments(self, record: bytes) -> Iterator[bytes]:
        """Ciphertext segment by segment. Raises FileNotFoundError."""
        with self._path(record).open("rb", buffering=0) as file:
            while segment := file.read(SEGMENT + TAG):
                yield segment

    def remove(self, record: bytes) -> bool:
        """Unlink it, on the disk when this returns. True: there is no such file any more."""
        path = self._path(record)
        path.unlink(missing_ok=True)
        _sync_folder(self._folder)
        return not path.exists()

    def records(self) -> set[bytes]:
        """Ids of all blobs in the folder; any other name is an error of somebody else's."""
        return {bytes.fromhex(path.name) for path in self._folder.iterdir()}

    def _path(self, record: bytes) -> Path:
        return self._folder / record.hex()


class BlobWriter:
    """Writes one blob; unless it is told to `keep` it, the block's end unlinks it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kept = False

    def __enter__(self) -> "BlobWriter":
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._fd = os.open(self._path, flags, 0o600)
        return self

    def write(self, ciphertext: bytes) -> None:
        """Raises StorageFull."""
        view = memoryview(ciphertext)
        try:
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError as error:
            raise _translate(error) from error

    def flush(self) -> None:
        """Bring the file and its name to the disk. Raises StorageFull."""
        try:
            os.fsync(self._fd)
            _sync_folder(self._path.parent)
        except OSError as error:
            raise _translate(error) from error

    def keep(self) -> None:
        """A row refers to it now: it stays."""
        self._kept = True

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._fd)
        if not self._kept:
            self._path.unlink(missing_ok=True)


def _translate(error: OSError) -> Exception:
    return StorageFull() if error.errno in _NO_ROOM else error


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
