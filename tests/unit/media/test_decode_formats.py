"""What comes in as any ordinary recording goes out as the same sound at 16 kHz."""

import numpy as np
import pytest

from tests.support.decoding import Decode
from tests.support.recordings import encoded, mu_law, tone, wav

SECONDS = 4


def assert_is_the_tone(samples: np.ndarray, hertz: float = 440.0) -> None:
    """The loudest frequency is the tone's, at about a quarter of full scale."""
    middle = samples[8000:40_000].astype(float)
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert spectrum.argmax() * 16_000 / len(middle) == pytest.approx(hertz, abs=2)
    assert np.abs(middle).max() == pytest.approx(0.25 * 32_767, rel=0.1)


@pytest.mark.parametrize(
    ("content", "codec", "rate", "channels"),
    [
        (wav(tone(SECONDS)), "pcm_s16le", 16_000, 1),
        (wav(tone(SECONDS), form=3, dtype="<f4"), "pcm_f32le", 16_000, 1),
        (wav(tone(SECONDS, 8000), 8000), "pcm_s16le", 8000, 1),
        (wav(tone(SECONDS, 44_100), 44_100, channels=2), "pcm_s16le", 44_100, 2),
        (wav(tone(SECONDS, 48_000), 48_000, channels=3), "pcm_s16le", 48_000, 3),
        (wav(tone(SECONDS, 48_000), 48_000, channels=8), "pcm_s16le", 48_000, 8),
        (mu_law(tone(SECONDS, 8000)), "pcm_mulaw", 8000, 1),
        (encoded("w64", "pcm_s16le", tone(SECONDS)), "pcm_s16le", 16_000, 1),
        (encoded("aiff", "pcm_s16be", tone(SECONDS)), "pcm_s16be", 16_000, 1),
        (encoded("au", "pcm_s16be", tone(SECONDS)), "pcm_s16be", 16_000, 1),
        (encoded("caf", "pcm_s16le", tone(SECONDS)), "pcm_s16le", 16_000, 1),
        (encoded("flac", "flac", tone(SECONDS)), "flac", 16_000, 1),
        (encoded("mp3", "libmp3lame", tone(SECONDS)), "mp3float", 16_000, 1),
        (encoded("adts", "aac", tone(SECONDS)), "aac", 16_000, 1),
        (encoded("mp4", "aac", tone(SECONDS)), "aac", 16_000, 1),
        (encoded("mov", "alac", tone(SECONDS)), "alac", 16_000, 1),
        (encoded("matroska", "flac", tone(SECONDS)), "flac", 16_000, 1),
        (encoded("webm", "libopus", tone(SECONDS, 48_000), 48_000), "opus", 48_000, 1),
        (encoded("ogg", "libopus", tone(SECONDS, 48_000), 48_000), "opus", 48_000, 1),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_recording_keeps_its_sound(
    decoding: Decode, content: bytes, codec: str, rate: int, channels: int
) -> None:
    decoded, samples = await decoding(content)
    assert (decoded.codec, decoded.source_rate, decoded.channels) == (codec, rate, channels)
    assert decoded.seconds == pytest.approx(SECONDS, abs=0.15)
    assert decoded.samples == len(samples)
    assert decoded.damaged_packets == 0
    assert decoded.seccomp
    assert_is_the_tone(samples)


async def test_16_khz_mono_int16_comes_through_bit_by_bit(decoding: Decode) -> None:
    sound = tone(1) * 32_767
    _, samples = await decoding(wav(tone(1)))
    assert np.array_equal(samples, np.clip(sound, -32768, 32767).astype(np.int16))


async def test_mono_is_the_mean_of_all_channels(decoding: Decode) -> None:
    """FFmpeg's own downmix would drop the bass channel of a 5.1 recording."""
    frames = np.zeros((16_000, 6))
    frames[:, 3] = tone(1)
    content = wav(frames.ravel(), channels=1).replace(
        b"\x01\x00\x01\x00\x80\x3e\x00\x00\x00\x7d\x00\x00\x02\x00",
        b"\x01\x00\x06\x00\x80\x3e\x00\x00\x00\xee\x02\x00\x0c\x00",
    )
    decoded, samples = await decoding(content)
    assert decoded.channels == 6
    assert np.abs(samples).max() == pytest.approx(0.25 * 32_767 / 6, rel=0.01)


async def test_silence_decodes(decoding: Decode) -> None:
    _, samples = await decoding(wav(np.zeros(32_000)))
    assert len(samples) == 32_000
    assert not samples.any()


@pytest.mark.parametrize("declared", [0, 0xFFFFFFFF, 0x7FFFF000])
async def test_a_streamed_wav_does_not_know_its_length(decoding: Decode, declared: int) -> None:
    decoded, _ = await decoding(wav(tone(2), declared=declared))
    assert decoded.seconds == 2.0


async def test_a_damaged_packet_is_left_out_and_counted(decoding: Decode) -> None:
    content = bytearray(encoded("matroska", "flac", tone(20)))
    middle = len(content) // 2
    content[middle : middle + 20] = bytes(20)
    decoded, samples = await decoding(bytes(content))
    assert 0 < decoded.damaged_packets < 5
    assert 18 < decoded.seconds < 20
    assert_is_the_tone(samples)


async def test_tags_in_another_encoding_do_no_harm(decoding: Decode) -> None:
    plain = wav(tone(1))
    tags = b"LIST\x14\x00\x00\x00INFOINAM\x08\x00\x00\x00Gespr\xe4ch"[:28]
    decoded, _ = await decoding(plain[:12] + tags + plain[12:])
    assert decoded.seconds == 1.0


async def test_the_source_is_read_wherever_its_offset_stands(decoding: Decode) -> None:
    content = wav(tone(1))
    first, second = await decoding(content), await decoding(content)
    assert first[0].samples == second[0].samples
