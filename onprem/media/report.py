"""What the decoder child says, in one JSON line: written by `decoder`, read by `decode`.

The parent believes none of it blindly: the child handled hostile bytes, so each field has a
shape, and the sample count is held against the size of the PCM itself.
"""

from typing import Annotated

from msgspec import Meta, Struct

Word = Annotated[str, Meta(max_length=40, pattern=r"^[a-zA-Z0-9_,.-]*$")]
"""A name from FFmpeg's own tables."""

Sentence = Annotated[str, Meta(max_length=120, pattern=r"^[a-zA-Z0-9 ,.:;()_/-]*$")]


class Instructions(Struct, frozen=True, kw_only=True):
    """The child's one argument. Descriptors, and limits in the units that their names give."""

    source_fd: int
    output_fd: int
    parent_pid: int
    audio_seconds: float
    least_seconds: float
    pcm_bytes: int
    cpu_seconds: int
    address_space: int


class Success(Struct, frozen=True, kw_only=True, tag="decoded", tag_field="result"):
    samples: int
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
    limit: int | float | None = None
