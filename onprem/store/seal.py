"""Encryption of one record: AES-256-GCM in segments of 1 MiB (the STREAM construction).

Each record has a random key of its own that encrypts nothing else, so a counter is a safe nonce.
The last segment is marked in its nonce: a cut or reordered ciphertext does not open. The record's
kind and id are authenticated with each segment: a ciphertext opens only as what it was sealed as.
"""

import secrets
import struct
from collections.abc import Iterable, Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from onprem.errors import DataDirectoryDamaged

SEGMENT = 1 << 20
"""Plaintext bytes of every segment but the last."""
TAG = 16
"""Bytes that a segment grows by."""
KEY_BYTES = 32


def new_key() -> bytes:
    return secrets.token_bytes(KEY_BYTES)


def _nonce(index: int, last: bool) -> bytes:
    return struct.pack(">QI", index, int(last))


class Sealer:
    """Encrypts a stream piece by piece; holds at most one segment."""

    def __init__(self, key: bytes, label: bytes) -> None:
        self._cipher = AESGCM(key)
        self._label = label
        self._index = 0
        self._pending = bytearray()
        self.size = 0

    def push(self, piece: bytes) -> Iterator[bytes]:
        """Ciphertext of the segments that `piece` completes."""
        self._pending += piece
        self.size += len(piece)
        # A full segment waits until more comes: the last one must be marked.
        while len(self._pending) > SEGMENT:
            yield self._segment(bytes(self._pending[:SEGMENT]), last=False)
            del self._pending[:SEGMENT]

    def finish(self) -> bytes:
        """Ciphertext of the last segment; an empty stream has one too."""
        return self._segment(bytes(self._pending), last=True)

    def _segment(self, plaintext: bytes, *, last: bool) -> bytes:
        nonce = _nonce(self._index, last)
        self._index += 1
        return self._cipher.encrypt(nonce, plaintext, self._label)


def seal(key: bytes, label: bytes, plaintext: bytes) -> bytes:
    """The whole ciphertext of a small record."""
    sealer = Sealer(key, label)
    return b"".join(sealer.push(plaintext)) + sealer.finish()


def sealed_size(size: int) -> int:
    """Bytes of the ciphertext of a record of `size` bytes."""
    return size + TAG * max(1, -(-size // SEGMENT))


def open_segments(
    key: bytes, label: bytes, segments: Iterable[bytes], first: int = 0
) -> Iterator[bytes]:
    """Plaintext, segment by segment. `segments` are pieces of SEGMENT + TAG bytes, the last less.

    `first` is the number of the first of them.

    Raises:
        DataDirectoryDamaged: the ciphertext was changed, cut or belongs to another record.
    """
    cipher = AESGCM(key)
    index, waiting = first, None
    for segment in segments:
        if waiting is not None:
            yield _open(cipher, index, False, waiting, label)
            index += 1
        waiting = segment
    yield _open(cipher, index, True, waiting or b"", label)


def _open(cipher: AESGCM, index: int, last: bool, segment: bytes, label: bytes) -> bytes:
    try:
        return cipher.decrypt(_nonce(index, last), segment, label)
    except (InvalidTag, ValueError):
        raise DataDirectoryDamaged(what="a record does not open with its key") from None


def unseal(key: bytes, label: bytes, sealed: bytes) -> bytes:
    """The plaintext of a small record; raises as `open_segments`."""
    step = SEGMENT + TAG
    pieces = (sealed[start : start + step] for start in range(0, len(sealed), step))
    return b"".join(open_segments(key, label, pieces))
