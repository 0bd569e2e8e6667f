"""A bundle on its way out: a tar archive, encrypted to its recipients while it is written.

It is the age format (age-encryption.org/v1). No byte of plaintext touches the disk.
"""

import hashlib
import io
import os
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyrage

from onprem.errors import BundleUnwritten
from onprem.store.disk import sync_folder

_SECRET = "AGE-SECRET-KEY-"  # noqa: S105  how a secret key begins


class Member(msgspec.Struct, frozen=True):
    """A file of the archive; what `chunks` give must be what size and digest say."""

    name: str
    size: int
    sha256: str
    chunks: Iterable[bytes]


def recipient(text: str) -> Any:
    """An age public key. Raises ValueError, which says what is wrong and quotes nothing."""
    if text.strip().upper().startswith(_SECRET):
        raise ValueError("This is a secret key. Make another, and give the public one (age1…).")
    try:
        return pyrage.x25519.Recipient.from_str(text.strip())
    except pyrage.RecipientError:
        raise ValueError("It is no age public key (age1…); `age-keygen` makes one.") from None


def write_bundle(
    path: Path, members: Sequence[Member], recipients: Sequence[Any], made_at: int
) -> None:
    """Write it for its owner only (0600); on the disk, or gone, when this returns. Blocks.

    `made_at`: seconds since the epoch, which all members bear.

    Raises BundleUnwritten: the disk refused, `path` exists, or a member is not what it says.
    """
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise BundleUnwritten(path=path, why=error.strerror) from error
    try:
        with os.fdopen(fd, "wb") as file:
            _encrypt(_Reader(_archive(members, made_at)), file, recipients)
            file.flush()
            os.fsync(file.fileno())
        sync_folder(path.parent)
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError | _Changed | pyrage.EncryptError):
            why = error.strerror if isinstance(error, OSError) else str(error)
            raise BundleUnwritten(path=path, why=why) from error
        raise


def _encrypt(source: "_Reader", target: io.BufferedWriter, recipients: Sequence[Any]) -> None:
    try:
        pyrage.encrypt_io(source, target, list(recipients))
    except pyrage.EncryptError:
        # It makes text of every error; what broke the reading says more.
        if source.failure is not None:
            raise source.failure from None
        raise


def _archive(members: Iterable[Member], made_at: int) -> Iterator[bytes]:
    """The bytes of a tar archive."""
    for member in members:
        header = tarfile.TarInfo(member.name)
        header.size, header.mtime, header.mode = member.size, made_at, 0o600
        yield header.tobuf(tarfile.GNU_FORMAT)
        yield from _as_promised(member)
        yield bytes(-member.size % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _as_promised(member: Member) -> Iterator[bytes]:
    size, digest = 0, hashlib.sha256()
    for chunk in member.chunks:
        size += len(chunk)
        digest.update(chunk)
        yield chunk
    if (size, digest.hexdigest()) != (member.size, member.sha256):
        raise _Changed(f"the {member.name} changed while it was read")


class _Changed(Exception):
    """A member is not what its size and digest say."""


class _Reader(io.RawIOBase):
    """An iterator of bytes as a file. `failure`: what the iterator raised."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")
        self.failure: Exception | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            chunk = self._next()
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size

    def _next(self) -> bytes | None:
        try:
            return next(self._chunks, None)
        except Exception as error:
            self.failure = error
            raise
