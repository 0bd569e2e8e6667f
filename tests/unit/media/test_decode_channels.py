"""Channels taken apart: each side as it was sent, none mixed, within the same limits."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from onprem.errors import (
    AudioTooLong,
    AudioUnreadable,
    TooManyChannels,
    WorkerMemoryExceeded,
)
from onprem.media.decode import Decoded, DecodeLimits, decode
from onprem.media.report import track_room
from onprem.media.worker_copy import WorkerCopy
from tests.support.decoding import LIMITS
from tests.support.recordings import encoded, many_channels, tone

HERTZ = (300.0, 700.0, 1100.0, 1500.0, 1900.0, 2300.0, 2700.0, 3100.0)


async def apart(content: bytes, limits: DecodeLimits = LIMITS) -> tuple[Decoded, list[np.ndarray]]:
    """What was said of the recording, and each channel's samples."""
    with WorkerCopy.create("test") as copy:
        copy.write(content)
        decoded = await decode(copy, limits=limits, separate=True)
    tracks = []
    with decoded.pcm:
        for index in range(decoded.tracks):
            with decoded.track(index) as view:
                tracks.append(np.frombuffer(bytes(view), dtype=np.int16))
    return decoded, tracks


def speech_like(channels: int, seconds: float = 2.0) -> np.ndarray:
    """int16 noise, of another loudness on each channel, as (samples, channels)."""
    noise = np.random.default_rng(channels)
    shape = int(seconds * 16_000), channels
    return (noise.uniform(-1, 1, shape) * 3000 * (1 + np.arange(channels))).astype(np.int16)


def tones(channels: int, rate: int, seconds: float = 3.0) -> np.ndarray:
    """A different sine on each channel, as (samples, channels) int16."""
    sounds = [tone(seconds, rate, hertz) * 32_767 for hertz in HERTZ[:channels]]
    return np.stack(sounds, axis=1).astype(np.int16)


def loudest(samples: np.ndarray) -> float:
    """Hertz."""
    middle = samples[8000:40_000].astype(float)
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    return float(spectrum.argmax() * 16_000 / len(middle))


@pytest.mark.parametrize("channels", [1, 2, 3, 6, 8])
@pytest.mark.parametrize(
    ("container", "codec"), [("wav", "pcm_s16le"), ("flac", "flac"), ("ogg", "flac")]
)
async def test_each_channel_comes_through_bit_by_bit(
    container: str, codec: str, channels: int
) -> None:
    sent = speech_like(channels)
    decoded, tracks = await apart(many_channels(container, codec, sent, 16_000))
    assert (decoded.channels, decoded.tracks, decoded.samples) == (channels, channels, len(sent))
    assert decoded.seccomp
    for index, track in enumerate(tracks):
        assert np.array_equal(track, sent[:, index])


@pytest.mark.parametrize(
    ("container", "codec", "rate", "channels"),
    [
        ("wav", "pcm_s16le", 44_100, 2),
        ("wav", "pcm_s16le", 8000, 2),
        ("ogg", "libopus", 48_000, 2),
        ("mp3", "libmp3lame", 44_100, 2),
        ("mp4", "aac", 48_000, 2),
        ("flac", "flac", 48_000, 8),
    ],
)
async def test_a_channel_keeps_its_own_sound(
    container: str, codec: str, rate: int, channels: int
) -> None:
    _, tracks = await apart(many_channels(container, codec, tones(channels, rate), rate))
    assert [loudest(track) for track in tracks] == pytest.approx(HERTZ[:channels], abs=3)
    assert {len(track) for track in tracks} == {len(tracks[0])}


async def test_apart_and_mixed_agree() -> None:
    sent = speech_like(2)
    content = many_channels("wav", "pcm_s16le", sent, 16_000)
    _, tracks = await apart(content)
    with WorkerCopy.create("test") as copy:
        copy.write(content)
        mixed = await decode(copy, limits=LIMITS)
    with mixed.pcm, mixed.track(0) as view:
        assert mixed.tracks == 1
        mean = np.frombuffer(bytes(view), dtype=np.int16)
    assert np.abs(mean - np.mean(tracks, axis=0)).max() <= 1


async def test_more_than_eight_channels_are_refused() -> None:
    content = many_channels("wav", "pcm_s16le", speech_like(9), 16_000)
    with pytest.raises(TooManyChannels, match="has 9 channels; at most 8"):
        await apart(content)


async def test_channels_that_come_and_go_are_refused() -> None:
    """Two oggs in a row are one recording: here of two channels and then of one."""
    stereo = many_channels("ogg", "flac", tones(2, 16_000), 16_000)
    mono = encoded("ogg", "flac", tone(3))
    with pytest.raises(AudioUnreadable, match="number of channels changes"):
        await apart(stereo + mono)
    _, tracks = await apart(stereo + stereo)
    assert [loudest(track) for track in tracks] == pytest.approx(HERTZ[:2], abs=3)
    assert len(tracks[0]) / 16_000 == pytest.approx(6, abs=0.1)


async def test_all_channels_together_fit_into_the_lease() -> None:
    content = many_channels("wav", "pcm_s16le", speech_like(2, 8.192), 16_000)
    size = 2 * 8192 * 32
    decoded, _ = await apart(content, msgspec.structs.replace(LIMITS, pcm_bytes=size))
    assert 2 * decoded.samples * 2 == size
    with pytest.raises(WorkerMemoryExceeded):
        await apart(content, msgspec.structs.replace(LIMITS, pcm_bytes=size - 1))
    with pytest.raises(WorkerMemoryExceeded):
        await apart(content, msgspec.structs.replace(LIMITS, pcm_bytes=0))


async def test_room_that_is_left_takes_no_memory() -> None:
    limits = msgspec.structs.replace(LIMITS, pcm_bytes=1 << 30)
    with WorkerCopy.create("test") as copy:
        copy.write(many_channels("wav", "pcm_s16le", speech_like(8), 16_000))
        decoded = await decode(copy, limits=limits, separate=True)
    with decoded.pcm:
        assert decoded.pcm.size > 7 * (1 << 27)
        written = 8 * decoded.samples * 2
        assert written <= decoded.pcm.memory < written + 8 * 65_536


async def test_the_limit_of_length_is_each_channel_s() -> None:
    limits = msgspec.structs.replace(LIMITS, audio_seconds=2)
    await apart(many_channels("wav", "pcm_s16le", speech_like(2), 16_000), limits)
    with pytest.raises(AudioTooLong):
        await apart(many_channels("wav", "pcm_s16le", speech_like(2, 2.01), 16_000), limits)


@pytest.mark.parametrize("tracks", range(1, 9))
@pytest.mark.parametrize("size", [0, 1, 65_536, 1_000_003, (1 << 31) - 1])
def test_the_rooms_of_all_tracks_are_within_the_limit(size: int, tracks: int) -> None:
    room = track_room(size, tracks)
    assert tracks * room <= size < tracks * (room + 65_536)
    assert tracks == 1 or room % 65_536 == 0


async def test_a_real_call_has_one_speaker_on_each_side(shared_data: Path) -> None:
    path = shared_data / "asr" / "stereo_diarization.wav"
    content = path.read_bytes()
    _, tracks = await apart(content)
    sent = np.frombuffer(content[-4 * len(tracks[0]) :], dtype="<i2").reshape(-1, 2)
    assert np.array_equal(np.stack(tracks, axis=1), sent)
