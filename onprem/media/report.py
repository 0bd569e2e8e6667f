"""What the decoder child says, in one JSON line: written by `decoder`, read by `decode`.

The parent believes none of it blindly: the child handled hostile bytes, so each field has a
shape, and the sample count is held against the size of the PCM itself.
"""

from typing import Annotated

from msgspec import Meta, Struct

MOST_TRACKS = 8
"""Channels that can be taken apart."""

SAMPLE_BYTES = 2
_PAGE = 65_536
"""A multiple of every page size, which a mapping has to begin at."""

Word = Annotated[str, Meta(max_length=40, pattern=r"^[a-zA-Z0-9_,.-]*$")]
"""A name from FFmpeg's own tables."""

Sentence = Annotated[str, Meta(max_length=120, pattern=r"^[a-zA-Z0-9 ,.:;()_/-]*$")]


def track_room(pcm_bytes: int, tracks: int) -> int:
    """Bytes of the PCM's file that each of its tracks has for itself, one behind the other.

    Their sum is within `pcm_bytes`, which the kernel enforces on the file as a whole. A file
    in memory has no blocks where nothing was written, so room that is left costs none.
    """
    return pcm_bytes if tracks == 1 else pcm_bytes // tracks // _PAGE * _PAGE


class Instructions(Struct, frozen=True, kw_only=True):
    """The child's one argument. Descriptors, and limits in the units that their names give.

    `separate`: one track for each channel, instead of one of their mean.
    """

    source_fd: int
    output_fd: int
    parent_pid: int
    audio_seconds: float
    least_seconds: float
    pcm_bytes: int
    separate: bool
    cpu_seconds: int
    address_space: int


class Success(Struct, frozen=True, kw_only=True, tag="decoded", tag_field="result"):
    """`samples` are those of each track."""

    tracks: Annotated[int, Meta(ge=1, le=MOST_TRACKS)]
    samples: Annotated[int, Meta(ge=0)]
    seconds: float
    source_rate: int
    channels: int
    codec: Word
    container: Word
    damaged_packets: int
    seccomp: bool


class Refusal(Struct, frozen=True, kw_only=True, tag="refused", tag_field="result"):
    """`error` is the `code` of an error class; the facts are what its text needs."""

    error: Word
    seccomp: bool
    why: Sentence | None = None
    seconds: float | None = None
    declared: float | None = None
    least: float | None = None
    channels: int | None = None
    limit: int | float | None = None
