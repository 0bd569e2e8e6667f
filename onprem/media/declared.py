"""How long a container says that its audio is, where it says so exactly.

FFmpeg shortens the declared size of wav, w64 and caf to what the file holds, so that a broken-off
recording looks whole; those headers are read here. Estimates (mp3, adts, ogg) are no declaration.
"""

import struct
from collections.abc import Callable

from av.audio.stream import AudioStream
from av.container import InputContainer

Read = Callable[[int, int], bytes]
"""Reads at most so many bytes (first argument) from an offset (second argument)."""

_EXACT = frozenset({"aiff", "au", "flac", "mov", "matroska"})
_STREAMED_FROM = 0x7FFFF000
"""Sizes from here on are what writers put who cannot seek back."""

_W64_DATA = b"data\xf3\xac\xd3\x11\x8c\xd1\x00\xc0O\x8e\xdb\x8a"
_MOST_CHUNKS = 1000


def declared_seconds(
    container: InputContainer, stream: AudioStream, reached: float, read: Read, size: int
) -> float | None:
    """Seconds that the header declares, or None where it does not.

    Args:
        reached: seconds at which decoding ended; what the byte counts of a header are scaled by.
        read: access to the file.
        size: bytes of the file.
    """
    names = container.format.name.split(",")
    if names[0] in ("wav", "w64", "caf"):
        found = _data_chunk(names[0], read)
        if found is None:
            return None
        start, length = found
        available = min(length, size - start)
        return reached * length / available if available > 0 else None
    if names[0] not in _EXACT:
        return None
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return _track_tag(stream) or _only_stream(container)


def _data_chunk(name: str, read: Read) -> tuple[int, int] | None:
    """Offset and declared length of the audio, in bytes."""
    if name == "w64":
        return _walk(read, 40, 24, lambda head: (head[:16] == _W64_DATA, _w64_length(head)), 8)
    if name == "caf":
        return _walk(read, 8, 12, lambda head: (head[:4] == b"data", _caf_length(head)), 1)
    return _riff_data(read)


def _riff_data(read: Read) -> tuple[int, int] | None:
    found = _walk(read, 12, 8, lambda head: (head[:4] == b"data", _riff_length(head)), 2)
    if found is None or found[1] < _STREAMED_FROM:
        return found
    if read(4, 0) in (b"RF64", b"BW64") and read(4, 12) == b"ds64":
        length = int(struct.unpack("<Q", read(8, 28).ljust(8, b"\0"))[0])
        return (found[0], length) if 0 < length < 1 << 63 else None
    return None


def _walk(
    read: Read, offset: int, head_size: int, parse: Callable[[bytes], tuple[bool, int]], align: int
) -> tuple[int, int] | None:
    """Go from chunk to chunk until the audio; None where its length is not stated."""
    for _ in range(_MOST_CHUNKS):
        head = read(head_size, offset)
        if len(head) < head_size:
            return None
        is_data, length = parse(head)
        if is_data:
            return (offset + head_size, length) if length > 0 else None
        if length < 0:
            return None
        offset += head_size + length + -length % align
    return None


def _riff_length(head: bytes) -> int:
    return int(struct.unpack("<I", head[4:8])[0])


def _w64_length(head: bytes) -> int:
    return int(struct.unpack("<q", head[16:24])[0]) - 24  # it counts its own head


def _caf_length(head: bytes) -> int:
    return int(struct.unpack(">q", head[4:12])[0])  # -1: not known


def _track_tag(stream: AudioStream) -> float | None:
    """The DURATION tag of a Matroska track, `00:00:20.000000000`."""
    parts = stream.metadata.get("DURATION", "").split(":")
    try:
        hours, minutes, seconds = (float(part) for part in parts)
    except ValueError:
        return None
    return hours * 3600 + minutes * 60 + seconds


def _only_stream(container: InputContainer) -> float | None:
    """A container's duration is the audio's only where nothing else is in it."""
    if container.duration is None or len(container.streams) > 1:
        return None
    return float(container.duration / 1_000_000)
