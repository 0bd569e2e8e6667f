"""The file of a backup: a tar archive whose every byte is checked when it is read.

Its last member is the SHA-256 of all bytes before it. What is not byte for byte what was written,
or does not end where it should, is no backup.
"""

import hashlib
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import msgspec

from onprem.core import backup
from onprem.core.backup import CHECKSUM, CONFIGURATION, MANIFEST, STORE, Part, SealedManifest
from onprem.errors import BackupUnusable, BackupUnwritten
from onprem.store.disk import sync_folder

_CHUNK = 1 << 20
_SMALL = 16 << 20
"""No manifest and no configuration is larger, in bytes."""
_END = bytes(2 * tarfile.BLOCKSIZE)


class Unpacked(msgspec.Struct, frozen=True):
    """What a file holds. `store` is where its database was unpacked to; `bytes` of the file."""

    sealed: SealedManifest
    configuration: bytes | None
    store: Path
    bytes: int


@contextmanager
def workshop(path: Path) -> Iterator[Path]:
    """A folder beside `path`, for what is written before it is complete; it goes with the block.

    Raises:
        BackupUnwritten: `path` exists, or there is no place for it.
    """
    if path.exists() or path.is_symlink():
        raise BackupUnwritten(path=path, why="it exists, and nothing is overwritten")
    try:
        folder = tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent)
    except OSError as error:
        raise BackupUnwritten(path=path, why=error.strerror) from error
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def part_of(path: Path, name: str) -> Part:
    """Reads all of it."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        return Part(name, file.tell(), digest.hexdigest())


def write(path: Path, sealed: SealedManifest, files: Sequence[Path], made_at: int) -> Part:
    """Write the archive for its owner only (0600), on the disk when this returns. Blocks.

    `files` hold the parts of the manifest. `made_at`: seconds since the epoch, which all members
    bear. Returns what it is as a whole. Raises OSError.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "w+b") as file:
        _add(file, MANIFEST, sealed.encoded(), made_at)
        for part, source in zip(sealed.body.parts, files, strict=True):
            file.write(_header(part.name, part.bytes, made_at))
            with source.open("rb") as content:
                shutil.copyfileobj(content, file, _CHUNK)
            file.write(_padding(part.bytes))
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        _add(file, CHECKSUM, _line(digest), made_at)
        file.write(_END)
        file.flush()
        os.fsync(fd)
    return part_of(path, path.name)


def publish(partial: Path, path: Path) -> None:
    """Give a whole file its name. Raises OSError."""
    partial.rename(path)
    sync_folder(path.parent)


def unpack(path: Path, into: Path) -> Unpacked:
    """Check every byte, and unpack the database to the file `into` (0600). Blocks.

    Raises:
        BackupUnusable: it is not what was written.
        OSError: it cannot be read, or `into` not be written.
    """
    with path.open("rb") as file:
        reader = _Reader(path, file)
        sealed = _manifest(reader)
        configuration = _configuration(reader, sealed)
        fd = os.open(into, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "wb") as store:
            _check(reader, sealed, reader.copy(STORE, store))
        digest = reader.digest()
        if reader.small(CHECKSUM) != _line(digest) or file.read() != _END:
            raise reader.refused("its bytes are not those that were written")
        return Unpacked(sealed, configuration, into, file.tell())


def head(path: Path) -> tuple[SealedManifest, bytes | None]:
    """The manifest and the configuration, before there is a place to unpack the database to.

    Raises BackupUnusable, OSError. Blocks.
    """
    with path.open("rb") as file:
        reader = _Reader(path, file)
        sealed = _manifest(reader)
        return sealed, _configuration(reader, sealed)


class _Reader:
    """Members one after the other, each in the one form that `write` gives it."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        self._file = file
        self._sum = hashlib.sha256()

    def digest(self) -> str:
        """Of all bytes so far."""
        return self._sum.hexdigest()

    def refused(self, why: str) -> BackupUnusable:
        return BackupUnusable(path=self._path, why=why)

    def small(self, name: str) -> bytes:
        size = self._begin(name)
        if size > _SMALL:
            raise self.refused(f"its {name} is too large to be one")
        content = self._take(size, name)
        self._end(size, name)
        return content

    def copy(self, name: str, target: BinaryIO) -> Part:
        left = size = self._begin(name)
        digest = hashlib.sha256()
        while left:
            chunk = self._take(min(left, _CHUNK), name)
            digest.update(chunk)
            target.write(chunk)
            left -= len(chunk)
        self._end(size, name)
        return Part(name, size, digest.hexdigest())

    def _begin(self, name: str) -> int:
        block = self._take(tarfile.BLOCKSIZE, name)
        with suppress(tarfile.TarError):
            found = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
            if block == _header(name, found.size, int(found.mtime)) and found.size >= 0:
                return found.size
        raise self.refused(f"where its {name} should begin, something else stands")

    def _end(self, size: int, name: str) -> None:
        padding = _padding(size)
        if self._take(len(padding), name) != padding:
            raise self.refused(f"something stands behind its {name}")

    def _take(self, size: int, name: str) -> bytes:
        found = self._file.read(size)
        if len(found) < size:
            raise self.refused(f"it ends in the middle of its {name}")
        self._sum.update(found)
        return found


def _manifest(reader: _Reader) -> SealedManifest:
    raw = reader.small(MANIFEST)
    try:
        return backup.decoded(raw)
    except ValueError:  # msgspec's errors are ValueErrors too
        raise reader.refused("it has no manifest of this format") from None


def _configuration(reader: _Reader, sealed: SealedManifest) -> bytes | None:
    if sealed.body.part(CONFIGURATION) is None:
        return None
    content = reader.small(CONFIGURATION)
    _check(reader, sealed, _part(CONFIGURATION, content))
    return content


def _check(reader: _Reader, sealed: SealedManifest, found: Part) -> None:
    if sealed.body.part(found.name) != found:
        raise reader.refused(f"its {found.name} is not the one that its manifest speaks of")


def _add(file: BinaryIO, name: str, content: bytes, made_at: int) -> None:
    file.write(_header(name, len(content), made_at) + content + _padding(len(content)))


def _header(name: str, size: int, made_at: int) -> bytes:
    header = tarfile.TarInfo(name)
    header.size, header.mtime, header.mode = size, made_at, 0o600
    return header.tobuf(tarfile.GNU_FORMAT)


def _padding(size: int) -> bytes:
    return bytes(-size % tarfile.BLOCKSIZE)


def _part(name: str, content: bytes) -> Part:
    return Part(name, len(content), hashlib.sha256(content).hexdigest())


def _line(digest: str) -> bytes:
    return f"{digest}\n".encode()
