"""The decoder child: `python -I -m onprem.media.decoder INSTRUCTIONS`.

It holds two descriptors, the source and the memfd for the PCM, gives up everything else, decodes
the first audio stream, and says how it went in one JSON line. Tracks lie in the memfd one behind
the other. FFmpeg sees a file object, never a
path: a playlist that names another file finds nobody who could open it.
"""

import os
import sys

import av
import msgspec
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer

from onprem.errors import (
    AudioEmpty,
    AudioMissing,
    AudioTooLong,
    AudioTooShort,
    AudioTruncated,
    AudioUnreadable,
    JobFailure,
    TooManyChannels,
    WorkerMemoryExceeded,
)
from onprem.media import sandbox
from onprem.media.declared import declared_seconds
from onprem.media.formats import CODECS, CONTAINERS
from onprem.media.mono import SAMPLE_RATE, Mono
from onprem.media.report import (
    MOST_TRACKS,
    SAMPLE_BYTES,
    Instructions,
    Refusal,
    Success,
    track_room,
)
from onprem.media.source import Source, silence

_OUT = 1
_LEAST_RATE, _HIGHEST_RATE = 1000, 768_000


class Decoding:
    """One file on its way to PCM. Memory stays flat: every piece is written as it comes."""

    def __init__(self, source: Source, instructions: Instructions) -> None:
        self._source = source
        self._orders = instructions
        self._mono: Mono | None = None
        self._tracks = 1
        self._room = 0
        self._samples = 0
        self._reached = 0.0
        self._packets = 0
        self._damaged = 0

    def run(self, *, seccomp: bool) -> Success:
        if self._source.size == 0:
            raise AudioEmpty
        with _open(self._source) as container:
            stream = _audio_stream(container)
            self._decode(container, stream)
            self._judge(container, stream)
            return Success(
                tracks=self._tracks,
                samples=self._samples,
                seconds=self._seconds,
                source_rate=stream.codec_context.sample_rate,
                channels=stream.codec_context.layout.nb_channels,
                codec=stream.codec_context.name,
                container=container.format.name,
                damaged_packets=self._damaged,
                seccomp=seccomp,
            )

    @property
    def _seconds(self) -> float:
        return self._samples / SAMPLE_RATE

    def _decode(self, container: InputContainer, stream: AudioStream) -> None:
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets)
                self._packets += 1
                frames = packet.decode()
            except StopIteration:
                break
            except MemoryError:
                raise
            except av.error.FFmpegError:
                self._damaged += 1
                continue
            for frame in frames:
                self._take(frame)
        self._flush()

    def _take(self, frame: AudioFrame) -> None:
        if self._mono is None or not self._mono.fits(frame):
            self._flush()
            self._mono = self._converting(frame)
        for pieces in self._mono.convert(frame):
            self._write(pieces)
        if frame.time is not None:
            self._reached = max(self._reached, frame.time + frame.samples / frame.sample_rate)

    def _flush(self) -> None:
        if self._mono is not None:
            for pieces in self._mono.convert(None):
                self._write(pieces)

    def _converting(self, frame: AudioFrame) -> Mono:
        """A header that declares 1 Hz would make 260 MB of PCM out of 8 kB."""
        if not _LEAST_RATE <= frame.sample_rate <= _HIGHEST_RATE:
            raise AudioUnreadable(why=f"a sample rate of {frame.sample_rate} Hz makes no sense")
        mono = Mono(frame, separate=self._orders.separate)
        if mono.tracks > MOST_TRACKS:
            raise TooManyChannels(channels=mono.tracks, limit=MOST_TRACKS)
        if self._samples and mono.tracks != self._tracks:
            raise AudioUnreadable(why="its number of channels changes on the way")
        self._tracks = mono.tracks
        self._room = track_room(self._orders.pcm_bytes, mono.tracks)
        return mono

    def _write(self, pieces: list[memoryview]) -> None:
        written = self._samples * SAMPLE_BYTES
        self._samples += len(pieces[0]) // SAMPLE_BYTES
        if self._seconds > self._orders.audio_seconds:
            raise AudioTooLong(limit=self._orders.audio_seconds / 3600)
        if self._samples * SAMPLE_BYTES > self._room:
            raise WorkerMemoryExceeded(limit=self._orders.pcm_bytes)
        for track, piece in enumerate(pieces):
            _write_at(self._orders.output_fd, piece, track * self._room + written)

    def _judge(self, container: InputContainer, stream: AudioStream) -> None:
        if self._damaged * 2 > self._packets:
            raise AudioUnreadable(why="most of it is damaged")
        reached = max(self._reached, self._seconds)
        declared = declared_seconds(
            container, stream, reached, self._source.read_at, self._source.size
        )
        if declared is not None and reached < declared - max(1.0, 0.02 * declared):
            raise AudioTruncated(seconds=reached, declared=declared)
        if self._seconds < self._orders.least_seconds:
            raise AudioTooShort(seconds=self._seconds, least=self._orders.least_seconds)


def _open(source: Source) -> InputContainer:
    options = {"format_whitelist": CONTAINERS, "codec_whitelist": ",".join(sorted(CODECS))}
    try:
        # Tags are often Latin-1; nobody reads them, so no byte in them may fail a recording.
        container: InputContainer = av.open(
            source, "r", options=options, io_open=_open_nothing, metadata_errors="replace"
        )
        return container
    except av.error.ArgumentError:  # what FFmpeg says of a format off the list
        raise AudioUnreadable(why="this server does not accept its format") from None
    except av.error.FFmpegError:
        why = "no known format was recognised in it"
        if source.read_at(4, 4) == b"ftyp":
            why = "the index of the mp4 or m4a is missing, so it is incomplete or damaged"
        raise AudioUnreadable(why=why) from None


def _write_at(descriptor: int, piece: memoryview, offset: int) -> None:
    while piece:
        size = os.pwrite(descriptor, piece, offset)
        piece, offset = piece[size:], offset + size


def _open_nothing(*_: object) -> None:
    """Asked for by a container that refers to other files."""
    raise PermissionError


def _audio_stream(container: InputContainer) -> AudioStream:
    if not container.streams.audio:
        raise AudioMissing
    stream = container.streams.audio[0]
    codec = stream.codec_context
    if codec is None or codec.name not in CODECS:
        raise AudioUnreadable(why="this server does not accept its audio codec")
    codec.thread_count = 1
    return stream


def _warm_up(instructions: Instructions) -> None:
    """Load whatever loads late, while files can still be opened: decode a moment of silence."""
    harmless = msgspec.structs.replace(instructions, audio_seconds=60.0, pcm_bytes=0)
    try:
        Decoding(Source.of(silence()), harmless).run(seccomp=False)
    except WorkerMemoryExceeded as expected:
        msgspec.json.encode(_refusal(expected, seccomp=False))


def _refusal(failure: JobFailure, *, seccomp: bool) -> Refusal:
    return msgspec.convert(
        {"result": "refused", "error": failure.code, "seccomp": seccomp, **failure.facts}, Refusal
    )


def main() -> None:
    instructions = msgspec.json.decode(sys.argv[1], type=Instructions)
    source = Source(instructions.source_fd)
    _warm_up(instructions)
    confined = sandbox.enter(
        parent_pid=instructions.parent_pid,
        cpu_seconds=instructions.cpu_seconds,
        address_space=instructions.address_space,
        file_bytes=instructions.pcm_bytes,
    )
    report: Success | Refusal
    try:
        report = Decoding(source, instructions).run(seccomp=confined)
    except JobFailure as failure:
        report = _refusal(failure, seccomp=confined)
    except MemoryError:
        report = _refusal(
            AudioUnreadable(why="decoding it takes too much memory"), seccomp=confined
        )
    except av.error.FFmpegError:
        report = _refusal(AudioUnreadable(why="it is damaged"), seccomp=confined)
    os.write(_OUT, msgspec.json.encode(report) + b"\n")


if __name__ == "__main__":
    main()
