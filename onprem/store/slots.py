"""The record-key file: one slot of 64 bytes for the key of each record, overwritten to forget.

A key in the database would survive in freed pages and in the write-ahead log. Here it lies at a
fixed place of a preallocated file, so overwriting it needs no free disk and leaves no copy:

    0   16  record id; all zero: the slot carries no key
    16  40  the record's key, wrapped (AES-KW, RFC 3394) under the master key
    56   4  CRC-32 of the 56 bytes before, little-endian
    60   4  reserved, zero

`O_DSYNC` makes each write reach the disk before it returns.
"""

import os
import zlib
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.keywrap import (
    InvalidUnwrap,
    aes_key_unwrap,
    aes_key_wrap,
)

from onprem.errors import DataDirectoryDamaged, RecordKeysUnusable
from onprem.store.disk import room_needed, sync_folder

SLOT_BYTES = 64
STEP = 4096
"""Slots that the file grows by: 256 KiB."""

_EMPTY = bytes(SLOT_BYTES)


class SlotFile:
    """Blocking calls of a few milliseconds each; the caller keeps them off the event loop."""

    def __init__(
        self, path: Path, wrapping_key: bytes, known: int, *, writable: bool = True
    ) -> None:
        """`wrapping_key`: 32 bytes; `known`: slots that the database knows.

        A missing file is never made here: it may lie on a volume that is not mounted, and without
        it every record would be taken for a deletion that broke off.

        Raises:
            RecordKeysUnusable: it is missing, shorter than `known`, or cannot be opened.
        """
        self._wrapping_key = wrapping_key
        mode = os.O_RDWR | os.O_DSYNC if writable else os.O_RDONLY
        try:
            self._fd = os.open(path, mode | os.O_CLOEXEC)
        except OSError as error:
            why = f"{error.strerror}; the database knows {known * SLOT_BYTES} bytes of it"
            raise RecordKeysUnusable(path=path, why=why) from error
        if len(self) < known:
            why = f"it is shorter than the {known * SLOT_BYTES} bytes that the database knows"
            self.close()
            raise RecordKeysUnusable(path=path, why=why)

    @staticmethod
    def create(path: Path) -> None:
        """An empty file (0600) for a new installation. Raises FileExistsError."""
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        sync_folder(path.parent)

    def close(self) -> None:
        os.close(self._fd)

    def __len__(self) -> int:
        """Slots that the file has room for."""
        return os.fstat(self._fd).st_size // SLOT_BYTES

    def grow(self, first: int) -> range:
        """Preallocate one step from slot `first` on; returns the new slots.

        Raises:
            StorageFull: the disk has no room. Purging never needs this.
        """
        with room_needed():
            os.posix_fallocate(self._fd, first * SLOT_BYTES, STEP * SLOT_BYTES)
            os.fsync(self._fd)
        return range(first, first + STEP)

    def write(self, slot: int, record: bytes, key: bytes) -> None:
        """Keep `key` (32 bytes) of `record` (16 bytes); on the disk when this returns."""
        body = record + aes_key_wrap(self._wrapping_key, key)
        self._put(slot, body + zlib.crc32(body).to_bytes(4, "little") + bytes(4))

    def read(self, slot: int, record: bytes) -> bytes | None:
        """The key of `record`; None where the slot does not carry it (any more).

        Raises:
            DataDirectoryDamaged: the slot carries the record's id but no key that unwraps.
        """
        raw = self._get(slot)
        if raw[:16] != record:
            return None
        if not _whole(raw):
            raise DataDirectoryDamaged(what=f"key slot {slot} has a bad checksum")
        try:
            return aes_key_unwrap(self._wrapping_key, raw[16:56])
        except InvalidUnwrap:
            raise DataDirectoryDamaged(
                what=f"key slot {slot} does not open with this master key"
            ) from None

    def wrapped(self, slot: int) -> bytes:
        """The key that the slot carries, as it lies there."""
        return self._get(slot)[16:56]

    def erase(self, slot: int, record: bytes) -> bool:
        """Overwrite the key of `record`, and read it back.

        A slot that carries another record's key is left alone, so that a purge can be repeated
        after a crash. Needs no key and no free disk. True: no byte of the key is in the slot.
        """
        if self._get(slot)[:16] == record:
            self._put(slot, _EMPTY)
        return self._get(slot)[:16] != record

    def occupants(self) -> dict[int, bytes]:
        """Record id of each slot that carries one."""
        return {slot: raw[:16] for slot, raw in self._used() if any(raw[:16])}

    def damaged(self) -> list[int]:
        """Slots that carry a record's id with a bad checksum."""
        return [slot for slot, raw in self._used() if any(raw[:16]) and not _whole(raw)]

    def residue(self) -> list[int]:
        """Slots that carry no record's id and are not empty."""
        return [slot for slot, raw in self._used() if not any(raw[:16])]

    def _used(self) -> Iterator[tuple[int, bytes]]:
        raw = os.pread(self._fd, len(self) * SLOT_BYTES, 0)
        for start in range(0, len(raw), SLOT_BYTES):
            if (slot := raw[start : start + SLOT_BYTES]) != _EMPTY:
                yield start // SLOT_BYTES, slot

    def _get(self, slot: int) -> bytes:
        return os.pread(self._fd, SLOT_BYTES, slot * SLOT_BYTES).ljust(SLOT_BYTES, b"\0")

    def _put(self, slot: int, raw: bytes) -> None:
        with room_needed():  # where the filesystem does not write in place
            written = os.pwrite(self._fd, raw, slot * SLOT_BYTES)
        if written != SLOT_BYTES:
            raise DataDirectoryDamaged(what="the record-key file could not be written")


def _whole(raw: bytes) -> bool:
    return zlib.crc32(raw[:56]) == int.from_bytes(raw[56:60], "little")
