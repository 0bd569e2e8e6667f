"""Decoding, seen from the server: start the child, wait for it with limits, judge its answer."""

import asyncio
import logging
import os
import signal
import sys
from contextlib import AbstractContextManager

import msgspec

from onprem.errors import (
    AudioEmpty,
    AudioMissing,
    AudioTooLong,
    AudioTooShort,
    AudioTruncated,
    AudioUnreadable,
    DecoderCrashed,
    DecoderTimeout,
    JobFailure,
    TooManyChannels,
    WorkerMemoryExceeded,
)
from onprem.media.report import SAMPLE_BYTES, Instructions, Refusal, Success, track_room
from onprem.media.worker_copy import WorkerCopy

logger = logging.getLogger(__name__)

_LONGEST_REPORT = 4096
_REFUSALS: dict[str, type[JobFailure]] = {
    error.code: error
    for error in (
        AudioEmpty,
        AudioMissing,
        AudioTooLong,
        AudioTooShort,
        AudioTruncated,
        AudioUnreadable,
        TooManyChannels,
        WorkerMemoryExceeded,
    )
}
_COMMAND = (sys.executable, "-I", "-B", "-m", "onprem.media.decoder")
_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "MALLOC_ARENA_MAX": "1"}


class DecodeLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What one decoding may take."""

    audio_seconds: float
    """Longest recording, seconds, counted while decoding."""
    pcm_bytes: int
    """Bytes that the job's lease leaves for the PCM (32,000 bytes a second of audio)."""
    worker_memory: int
    """The configured limit behind `pcm_bytes`, which an operator can raise: refusals name it."""
    least_seconds: float = 0.5
    """Shortest recording, seconds."""
    wall_seconds: float = 1800.0
    cpu_seconds: int = 1800
    address_space: int = 1 << 30
    """Bytes of the child's virtual memory; a decoder needs about 150 MB, however long the file."""


class Decoded(msgspec.Struct, frozen=True, kw_only=True):
    """A recording, decoded. Whoever holds it closes `pcm`."""

    pcm: WorkerCopy
    """Sealed: int16 samples in native byte order at 16 kHz, one track behind the other."""
    room: int
    """Bytes of `pcm` from the beginning of one track to that of the next."""
    tracks: int
    """One, or as many as there are channels where they were taken apart."""
    samples: int
    """Of each track."""
    seconds: float
    source_rate: int
    """Hz of the recording as it was sent."""
    channels: int
    codec: str
    container: str
    damaged_packets: int
    """Packets that could not be decoded and were left out."""
    seccomp: bool
    """Whether the kernel confined the child to its list of system calls."""

    def track(self, index: int) -> AbstractContextManager[memoryview]:
        """Map the samples of one track, mono, for reading."""
        return self.pcm.view(index * self.room, self.samples * SAMPLE_BYTES)


async def decode(source: WorkerCopy, *, limits: DecodeLimits, separate: bool = False) -> Decoded:
    """Decode the first audio stream of `source` in a confined child process.

    To one track, the mean of all channels, or with `separate` to a track for each channel. Seals
    `source`. A cancellation kills and reaps the child.

    Raises:
        CouldNotLoadAudio: the recording cannot be used; the class says why.
        TooManyChannels: more than can be taken apart.
        WorkerMemoryExceeded: the PCM is larger than `limits.pcm_bytes`; names
            `limits.worker_memory`.
    """
    source.seal()
    pcm = WorkerCopy.create("pcm")
    try:
        process = await _start(source, pcm, limits, separate)
        report = _parse(await _finish(process, limits))
        if not report.seccomp:
            logger.warning("the kernel has no seccomp filter for the decoder: it ran without")
        if isinstance(report, Refusal):
            raise _failure(report, limits)
        pcm.seal()
        room = track_room(limits.pcm_bytes, report.tracks)
        written = report.samples * SAMPLE_BYTES
        if written > room or pcm.size != (report.tracks - 1) * room + written:
            raise DecoderCrashed(signal="a fault of its own (its report does not fit its output)")
        return Decoded(pcm=pcm, room=room, **msgspec.structs.asdict(report))
    except BaseException:
        pcm.close()
        raise


async def _start(
    source: WorkerCopy, pcm: WorkerCopy, limits: DecodeLimits, separate: bool
) -> asyncio.subprocess.Process:
    instructions = Instructions(
        source_fd=source.fd,
        output_fd=pcm.fd,
        parent_pid=os.getpid(),
        audio_seconds=limits.audio_seconds,
        least_seconds=limits.least_seconds,
        pcm_bytes=max(0, limits.pcm_bytes),  # -1 would read as: no limit
        separate=separate,
        cpu_seconds=limits.cpu_seconds,
        address_space=limits.address_space,
    )
    return await asyncio.create_subprocess_exec(
        *_COMMAND,
        msgspec.json.encode(instructions).decode(),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,  # FFmpeg quotes what it reads
        pass_fds=(source.fd, pcm.fd),
        process_group=0,  # a Ctrl-C is the server's, who then decides about the job
        env=_ENVIRONMENT,
        cwd="/",
    )


async def _finish(process: asyncio.subprocess.Process, limits: DecodeLimits) -> bytes:
    """What the child said, once it ended as it should."""
    assert process.stdout is not None
    try:
        async with asyncio.timeout(limits.wall_seconds):
            said = await _read(process.stdout)
            status = await process.wait()
    except TimeoutError:
        raise DecoderTimeout(seconds=limits.wall_seconds) from None
    finally:
        await _reap(process)
    if status == -signal.SIGXCPU:
        raise DecoderTimeout(seconds=limits.cpu_seconds)
    if status < 0:
        raise DecoderCrashed(signal=_name(-status))
    if status > 0:
        raise DecoderCrashed(signal=f"a fault of its own (status {status})")
    return said


async def _read(stdout: asyncio.StreamReader) -> bytes:
    said = b""
    while piece := await stdout.read(_LONGEST_REPORT):
        said += piece
        if len(said) > _LONGEST_REPORT:
            raise DecoderCrashed(signal="a fault of its own (an endless report)")
    return said


async def _reap(process: asyncio.subprocess.Process) -> None:
    """Leave neither a process nor an open pipe behind, however the wait for it ended."""
    assert process.stdout is not None
    if process.returncode is None:
        process.kill()
    while await process.stdout.read(65_536):
        pass
    await process.wait()


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a realtime signal
        return f"signal {number}"


def _parse(said: bytes) -> Success | Refusal:
    try:
        return msgspec.json.decode(said, type=Success | Refusal)
    except msgspec.DecodeError:
        raise DecoderCrashed(signal="a fault of its own (no report)") from None


def _failure(refusal: Refusal, limits: DecodeLimits) -> JobFailure:
    facts = msgspec.structs.asdict(refusal)
    known = _REFUSALS.get(facts.pop("error"))
    if known is WorkerMemoryExceeded:
        return WorkerMemoryExceeded(limit=limits.worker_memory)
    facts = {name: fact for name, fact in facts.items() if fact is not None}
    try:
        return known(**facts) if known else DecoderCrashed(signal="a fault of its own (report)")
    except (KeyError, ValueError):  # a fact that the text needs is missing
        return DecoderCrashed(signal="a fault of its own (report)")
