"""Real signals, made on the spot."""

import io
import math
import struct
import wave


def tone(seconds: float, *, rate: int = 16_000, channels: int = 1, hertz: float = 220.0) -> bytes:
    """A WAV file with a sine in every channel."""
    frames = bytearray()
    for index in range(int(seconds * rate)):
        value = int(12_000 * math.sin(2 * math.pi * hertz * index / rate))
        frames += struct.pack("<h", value) * channels
    return wav(bytes(frames), rate=rate, channels=channels)


def wav(frames: bytes, *, rate: int = 16_000, channels: int = 1) -> bytes:
    """Little-endian int16 frames as a WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(frames)
    return file.getvalue()
