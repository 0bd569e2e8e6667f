"""What lies in the data directory and in the record-key file, whatever the rows say."""

import fcntl
import os
import time
from collections.abc import Collection
from pathlib import Path

import msgspec

from onprem.errors import RecordKeysUnusable
from onprem.store.data_directory import DataDirectory
from onprem.store.slots import SlotFile

_LOOK_AGAIN_SECONDS = 0.05


class SlotsFound(msgspec.Struct, frozen=True):
    """`occupants`: the record id in each slot that carries one. `damaged` are those of them with
    a bad checksum, `residue` are slots without a record that are not empty."""

    occupants: dict[int, bytes]
    damaged: list[int]
    residue: list[int]
    size: int


class FilesFound(msgspec.Struct, frozen=True):
    """`sizes` of all files in bytes; `being_written` are blobs without a row that an upload has
    open; `slots` is None where the record-key file cannot be read, and `slots_fault` says why."""

    sizes: dict[Path, int]
    being_written: set[Path]
    slots: SlotsFound | None
    slots_fault: str | None = None


def find_files(directory: DataDirectory, records: Collection[bytes]) -> FilesFound:
    """Blocks. `records` have rows; the models folder is left out."""
    sizes = _sizes(directory.root) | _sizes(directory.slots.parent)
    models = directory.root / "models"
    sizes = {path: size for path, size in sizes.items() if not path.is_relative_to(models)}
    owned = {directory.blobs / record.hex() for record in records}
    strangers = {path for path in sizes if path.parent == directory.blobs} - owned
    being_written = {path for path in strangers if is_being_written(path)}
    if suspects := strangers - being_written:
        # An upload that breaks off closes its file and then unlinks it.
        time.sleep(_LOOK_AGAIN_SECONDS)
        for path in suspects:
            if not path.exists():
                del sizes[path]
    try:
        slots = SlotFile(directory.slots, b"", 0, writable=False)
    except RecordKeysUnusable as error:
        return FilesFound(sizes, being_written, None, str(error))
    try:
        found = SlotsFound(slots.occupants(), slots.damaged(), slots.residue(), len(slots))
    finally:
        slots.close()
    return FilesFound(sizes, being_written, found)


def is_being_written(path: Path) -> bool:
    """Whether some process has the file open for writing: then nobody can take a read lease.

    True also where the filesystem knows no leases, or the file is gone.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    try:
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError:
        return True
    finally:
        os.close(fd)
    return False


def _sizes(folder: Path) -> dict[Path, int]:
    found = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            try:
                found[path] = path.lstat().st_size
            except FileNotFoundError:  # an upload broke off
                continue
    return found
