"""The recording that pyannote.audio brings along: a telephone call of two, 30 s, 16 kHz."""

import importlib.util
import wave
from pathlib import Path

from pyannote.core import Annotation
from pyannote.database.util import load_rttm

SAMPLE_RATE = 16_000


def sample_folder() -> Path:
    found = importlib.util.find_spec("pyannote.audio.sample")
    assert found and found.origin
    return Path(found.origin).parent


def sample_pcm() -> memoryview:
    """Mono int16 samples."""
    with wave.open(str(sample_folder() / "sample.wav")) as file:
        return memoryview(file.readframes(file.getnframes())).cast("h")


def sample_reference() -> Annotation:
    return next(iter(load_rttm(sample_folder() / "sample.rttm").values()))
