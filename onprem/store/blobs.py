"""Ciphertext too large for a database row: one file each, named by its record id."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from onprem.errors import DataDirectoryDamaged
from onprem.store.disk import room_needed, sync_folder
from onprem.store.seal import SEGMENT, TAG

_NAME = re.compile("[0-9a-f]{32}")


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

    def segments(self, record: bytes, first: int = 0) -> Iterator[bytes]:
        """Ciphertext segment by segment, from segment `first` on. Raises FileNotFoundError."""
        with self._path(record).open("rb", buffering=0) as file:
            file.seek(first * (SEGMENT + TAG))
            while segment := file.read(SEGMENT + TAG):
                yield segment

    def remove(self, record: bytes) -> bool:
        """Unlink it, on the disk when this returns. True: there is no such file any more."""
        path = self._path(record)
        path.unlink(missing_ok=True)
        sync_folder(self._folder)
        return not path.exists()

    def records(self) -> set[bytes]:
        """Ids of all blobs in the folder. Folders are none of ours, such as `lost+found`.

        Raises DataDirectoryDamaged, which names it, on a file that is no blob.
        """
        return {_record(path) for path in self._folder.iterdir() if not path.is_dir()}

    def _path(self, record: bytes) -> Path:
        return self._folder / record.hex()


class BlobWriter:
    """Writes one blob; unless it is told to `keep` it, the block's end unlinks it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kept = False

    def __enter__(self) -> "BlobWriter":
        """Raises StorageFull."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with room_needed():
            self._fd = os.open(self._path, flags, 0o600)
        return self

    def write(self, ciphertext: bytes) -> None:
        """Raises StorageFull."""
        view = memoryview(ciphertext)
        with room_needed():
            while view:
                view = view[os.write(self._fd, view) :]

    def flush(self) -> None:
        """Bring the file and its name to the disk. Raises StorageFull."""
        with room_needed():
            os.fsync(self._fd)
            sync_folder(self._path.parent)

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


def _record(path: Path) -> bytes:
    if not _NAME.fullmatch(path.name):
        raise DataDirectoryDamaged(what=f"{path} is no file of ours")
    return bytes.fromhex(path.name)
