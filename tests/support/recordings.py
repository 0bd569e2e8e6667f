"""Recordings of every kind, made on the spot."""

import io
import struct

import av
import numpy as np

Samples = np.ndarray


def tone(seconds: float, rate: int = 16_000, hertz: float = 440.0) -> Samples:
    """A sine at a quarter of full scale, float in -1..1."""
    return 0.25 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)


def wav(
    samples: Samples,
    rate: int = 16_000,
    *,
    channels: int = 1,
    form: int = 1,
    dtype: str = "<i2",
    declared: int | None = None,
) -> bytes:
    """A wav; `declared` replaces the size of its data chunk."""
    if form == 1:
        samples = np.clip(samples * 32767, -32768, 32767)
    body = np.repeat(samples.astype(dtype), channels).tobytes()
    width = np.dtype(dtype).itemsize
    rates = (rate, rate * channels * width, channels * width, 8 * width)
    head = b"WAVEfmt " + struct.pack("<IHHIIHH", 16, form, channels, *rates)
    size = len(body) if declared is None else declared
    head += b"data" + struct.pack("<I", size)
    total = min(0xFFFFFFFF, len(head) + size)
    return b"RIFF" + struct.pack("<I", total) + head + body


def mu_law(samples: Samples, rate: int = 8000) -> bytes:
    """A telephone's wav: 8-bit mu-law."""
    magnitude = np.log1p(255 * np.abs(samples)) / np.log(256)
    coded = ~((np.where(samples < 0, 0x80, 0)) | (magnitude * 127).astype(int)) & 0xFF
    return wav(coded, rate, form=7, dtype="u1")


def encoded(
    container: str, codec: str, samples: Samples, rate: int = 16_000, **options: str
) -> bytes:
    """Mono audio through one of FFmpeg's encoders."""
    out = io.BytesIO()
    with av.open(out, "w", format=container, options=options) as file:
        stream = file.add_stream(codec, rate=rate, layout="mono")
        pcm = (samples * 32767).astype("<i2")
        for start in range(0, len(pcm), 16_384):
            frame = av.AudioFrame.from_ndarray(pcm[None, start : start + 16_384], "s16", "mono")
            frame.sample_rate, frame.pts = rate, start
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return out.getvalue()


def many_channels(container: str, codec: str, frames: Samples, rate: int) -> bytes:
    """int16 samples, (samples, channels), through one of FFmpeg's encoders."""
    layout = {1: "mono", 2: "stereo", 3: "3.0", 6: "5.1", 8: "7.1"}.get(
        frames.shape[1], "9 channels"
    )
    out = io.BytesIO()
    with av.open(out, "w", format=container) as file:
        stream = file.add_stream(codec, rate=rate, layout=layout)
        for start in range(0, len(frames), 16_384):
            part = frames[start : start + 16_384]
            frame = av.AudioFrame.from_ndarray(part.reshape(1, -1), "s16", layout)
            frame.sample_rate, frame.pts = rate, start
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return out.getvalue()


def silent_flac(hours: float) -> bytes:
    """A bomb: an hour of silence is 180 kB of flac and 115 MB of PCM."""
    return encoded("flac", "flac", np.zeros(int(hours * 3600 * 16_000), dtype="f4"))


def video_without_sound() -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as file:
        stream = file.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for _ in range(10):
            frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), dtype="u1"), "rgb24")
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return out.getvalue()
