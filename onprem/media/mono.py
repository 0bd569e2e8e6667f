"""Frames of any rate, format and channel count become mono int16 at 16 kHz.

One track with the mean of all channels, or one track for each channel.
"""

from collections.abc import Iterator

import av
from av.audio.frame import AudioFrame
from av.filter import Graph

from onprem.media.report import SAMPLE_BYTES

SAMPLE_RATE = 16_000
"""Hz of everything that leaves the decoder."""
_AGAIN = (av.error.BlockingIOError, av.error.EOFError)


class Mono:
    """One conversion. A stream whose format changes on the way (chained ogg) starts a new one."""

    def __init__(self, frame: AudioFrame, *, separate: bool) -> None:
        self._format = _format_of(frame)
        self._graph = _graph(frame, separate)
        self.tracks = frame.layout.nb_channels if separate else 1

    def fits(self, frame: AudioFrame) -> bool:
        return _format_of(frame) == self._format

    def convert(self, frame: AudioFrame | None) -> Iterator[list[memoryview]]:
        """Feed a frame, or None at the end; yields int16 samples in native byte order by track."""
        self._graph.push(frame)
        while True:
            try:
                out = self._graph.pull()
            except _AGAIN:
                return
            assert isinstance(out, AudioFrame)
            # PyAV shows a ninth plane where there are eight.
            planes = out.planes[: self.tracks]
            yield [memoryview(plane)[: out.samples * SAMPLE_BYTES] for plane in planes]


def _format_of(frame: AudioFrame) -> tuple[int, str, int, str]:
    layout = frame.layout
    return frame.sample_rate, frame.format.name, layout.nb_channels, layout.name


def _graph(frame: AudioFrame, separate: bool) -> Graph:
    """Mean of all channels, then one resampling: no channel may vanish in a film's downmix."""
    graph = Graph()
    graph.threads = 1  # a thread per core would only cost address space
    channels = frame.layout.nb_channels
    source = graph.add(
        "abuffer",
        sample_rate=str(frame.sample_rate),
        sample_fmt=frame.format.name,
        channel_layout=frame.layout.name,
        time_base=f"1/{frame.sample_rate}",
    )
    steps = [source]
    if channels > 1 and not separate:
        mix = "+".join(f"{1 / channels:.9f}*c{index}" for index in range(channels))
        steps.append(graph.add("pan", f"mono|c0={mix}"))
    steps.append(graph.add("aresample", str(SAMPLE_RATE)))
    steps.append(graph.add("aformat", f"sample_fmts=s16p:sample_rates={SAMPLE_RATE}"))
    steps.append(graph.add("abuffersink"))
    graph.link_nodes(*steps)
    graph.configure()
    return graph
