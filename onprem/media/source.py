"""The file object that FFmpeg reads from: positioned reads on a descriptor, and nothing else."""

import os
import struct
from typing import Self


class Source:
    """Reads by `pread`, so that the offset that the parent shares never moves."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.size = os.fstat(descriptor).st_size
        self._position = 0

    @classmethod
    def of(cls, content: bytes) -> Self:
        """A source with this content."""
        descriptor = os.memfd_create("warm-up")
        os.write(descriptor, content)
        return cls(descriptor)

    def read_at(self, size: int, offset: int) -> bytes:
        """At most `size` bytes from `offset`; fewer at the end."""
        return os.pread(self._descriptor, size, offset) if 0 <= offset < self.size else b""

    def read(self, size: int) -> bytes:
        chunk = self.read_at(size, self._position)
        self._position += len(chunk)
        return chunk

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        self._position = max(0, start + offset)
        return self._position

    def tell(self) -> int:
        return self._position


def silence() -> bytes:
    """A wav of 0.1 s of silence, stereo at 8 kHz, so that mixing and resampling have work."""
    samples = bytes(800 * 4)
    form = struct.pack("<HHIIHH", 1, 2, 8000, 32_000, 4, 16)
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form
    body += b"data" + struct.pack("<I", len(samples)) + samples
    return b"RIFF" + struct.pack("<I", len(body)) + body
