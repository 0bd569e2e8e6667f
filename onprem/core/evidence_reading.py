"""Reading an evidence pack block by block, holding on to none of it."""

import tarfile
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from onprem.core.evidence import BLOCK, padding

_PIECE = 1 << 20


class CutOff(Exception):
    """The file ends before the archive does."""


class Head(NamedTuple):
    """What the archive says of a member that comes next."""

    name: str
    size: int


class PackReader:
    """`chunks`: the bytes of the file, in pieces of any length."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = b""

    def exactly(self, size: int) -> bytes:
        """Raises CutOff."""
        pieces = list(self.pieces(size))
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def pieces(self, size: int) -> Iterator[bytes]:
        """The next `size` bytes. Raises CutOff."""
        while size:
            if not self._rest:
                self._rest = next(self._chunks, b"")
                if not self._rest:
                    raise CutOff()
            piece, self._rest = self._rest[:size], self._rest[size:]
            size -= len(piece)
            yield piece

    def put_back(self, piece: bytes) -> None:
        self._rest = piece + self._rest

    def skip(self, size: int) -> None:
        """Raises CutOff."""
        for _ in self.pieces(size + len(padding(size))):
            pass

    def remainder(self) -> bytes:
        """What is left, but no more than a piece of it."""
        kept = b""
        while len(kept) < _PIECE and (piece := self._rest or next(self._chunks, b"")):
            kept, self._rest = kept + piece[:_PIECE], b""
        return kept


def head_in(block: bytes) -> Head | None:
    """None: these bytes begin no member."""
    assert len(block) == BLOCK
    try:
        info = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
    except (tarfile.HeaderError, UnicodeDecodeError):
        return None
    return Head(info.name, info.size) if info.isreg() and info.size >= 0 else None


class Lines:
    """Cuts pieces into lines with their newlines; longer ones than `most` come in pieces."""

    def __init__(self, take: Callable[[bytes], None], *, most: int) -> None:
        self._take = take
        self._most = most
        self._rest = b""

    def take(self, piece: bytes) -> None:
        *whole, rest = (self._rest + piece).split(b"\n")
        for line in whole:
            self._take(line + b"\n")
        if len(rest) > self._most:
            self._take(rest)
            rest = b""
        self._rest = rest

    def finish(self) -> None:
        if self._rest:
            self._take(self._rest)
