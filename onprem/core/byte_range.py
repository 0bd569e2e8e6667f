"""The Range header, as far as a player needs it: one range of bytes."""

import re
from typing import NamedTuple

_ONE_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class ByteRange(NamedTuple):
    """Bytes from `start` up to, and without, `stop`."""

    start: int
    stop: int


def byte_range(header: str | None, size: int) -> ByteRange | None:
    """What of `size` bytes to send; None: no byte of them is in the range.

    A header that is absent, broken, or asks for several ranges means the whole, as RFC 9110 has it.
    """
    match = _ONE_RANGE.fullmatch(header or "")
    if match is None or match[1] == match[2] == "":
        return ByteRange(0, size)
    if match[1] == "":
        start, stop = max(0, size - int(match[2])), size
    else:
        start = int(match[1])
        stop = min(size, int(match[2]) + 1) if match[2] else size
        if match[2] and int(match[2]) < start:
            return ByteRange(0, size)
    return ByteRange(start, stop) if start < stop else None
