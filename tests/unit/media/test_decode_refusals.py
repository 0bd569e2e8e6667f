"""Each thing that can be wrong with a file has a name of its own."""

import struct
from pathlib import Path

import msgspec
import numpy as np
import pytest

from onprem.errors import (
    AudioEmpty,
    AudioMissing,
    AudioTooLong,
    AudioTooShort,
    AudioTruncated,
    AudioUnreadable,
    WorkerMemoryExceeded,
)
from onprem.media.decode import DecodeLimits
from tests.support.decoding import Decode
from tests.support.recordings import encoded, silent_flac, tone, video_without_sound, wav

PLAYLISTS = {
    "hls": b"#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:1,\n/etc/hostname\n#EXT-X-ENDLIST\n",
    "ffconcat": b"ffconcat version 1.0\nfile '/etc/hostname'\nfile '3'\n",
    "sdp": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=audio 5004 RTP/AVP 0\n",
    "dash": b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static">'
    b"<Period><AdaptationSet><BaseURL>/etc/hostname</BaseURL></AdaptationSet></Period></MPD>",
    "subtitles": b"WEBVTT\n\n00:00.000 --> 00:02.000\nhello\n",
}


async def test_an_empty_file(decoding: Decode) -> None:
    with pytest.raises(AudioEmpty):
        await decoding(b"")


async def test_a_video_without_sound(decoding: Decode) -> None:
    with pytest.raises(AudioMissing):
        await decoding(video_without_sound())


@pytest.mark.parametrize("size", [1, 100, 5000, 300_000])
async def test_random_bytes(decoding: Decode, size: int) -> None:
    with pytest.raises(AudioUnreadable):
        await decoding(np.random.default_rng(size).bytes(size))


async def test_text(decoding: Decode) -> None:
    with pytest.raises(AudioUnreadable):
        await decoding(b"This is not a recording.\n" * 400)


@pytest.mark.parametrize("kind", PLAYLISTS)
async def test_a_playlist_is_no_recording(decoding: Decode, kind: str) -> None:
    """Behind these stand demuxers that open other files: another tenant's, for one."""
    with pytest.raises(AudioUnreadable):
        await decoding(PLAYLISTS[kind])


async def test_a_codec_off_the_list(decoding: Decode) -> None:
    with pytest.raises(AudioUnreadable, match="audio codec"):
        await decoding(encoded("matroska", "tta", tone(2)))


@pytest.mark.parametrize(
    "content",
    [
        wav(tone(20)),
        encoded("w64", "pcm_s16le", tone(20)),
        encoded("aiff", "pcm_s16be", tone(20)),
        encoded("caf", "pcm_s16le", tone(20)),
        encoded("flac", "flac", tone(20)),
        encoded("mp4", "aac", tone(20), movflags="frag_keyframe+empty_moov"),
        encoded("matroska", "aac", tone(20)),
        encoded("webm", "libopus", tone(20, 48_000), 48_000),
    ],
    ids=["wav", "w64", "aiff", "caf", "flac", "mp4", "matroska", "webm"],
)
async def test_a_file_that_breaks_off_before_its_declared_end(
    decoding: Decode, content: bytes
) -> None:
    whole, _ = await decoding(content)
    assert whole.seconds == pytest.approx(20, abs=0.2)
    with pytest.raises(AudioTruncated) as caught:
        await decoding(content[: len(content) // 2])
    assert caught.value.facts["seconds"] == pytest.approx(10, abs=1)
    assert caught.value.facts["declared"] == pytest.approx(20, abs=0.2)


async def test_an_rf64_declares_its_length_elsewhere(decoding: Decode) -> None:
    plain = wav(tone(20))
    ds64 = b"ds64" + struct.pack("<IQQQI", 28, 0, 640_000, 320_000, 0)
    content = b"RF64\xff\xff\xff\xffWAVE" + ds64 + plain[12:40] + b"\xff" * 4 + plain[44:]
    decoded, _ = await decoding(content)
    assert decoded.seconds == 20.0
    with pytest.raises(AudioTruncated):
        await decoding(content[:320_000])


async def test_a_wav_that_lacks_a_moment_passes(decoding: Decode) -> None:
    decoded, _ = await decoding(wav(tone(20))[:-16_000])
    assert decoded.seconds == 19.5


async def test_an_mp4_without_its_index_says_so(decoding: Decode) -> None:
    content = encoded("mp4", "aac", tone(20))
    with pytest.raises(AudioUnreadable, match="index of the mp4"):
        await decoding(content[: len(content) // 2])


async def test_an_estimate_is_no_declaration(decoding: Decode) -> None:
    for content in (
        encoded("mp3", "libmp3lame", tone(20)),
        encoded("adts", "aac", tone(20)),
        encoded("ogg", "libopus", tone(20, 48_000), 48_000),
    ):
        decoded, _ = await decoding(content[: len(content) // 2])
        assert 8 < decoded.seconds < 12


async def test_too_short(decoding: Decode) -> None:
    with pytest.raises(AudioTooShort, match="lasts 0.20 s, less than 0.5 s"):
        await decoding(wav(tone(0.2)))


async def test_a_header_without_samples_is_too_short(decoding: Decode) -> None:
    with pytest.raises(AudioTooShort, match="lasts 0.00 s"):
        await decoding(wav(tone(0)))


async def test_the_limit_of_length_is_counted_and_inclusive(
    decoding: Decode, limits: DecodeLimits
) -> None:
    two = msgspec.structs.replace(limits, audio_seconds=2)
    await decoding(wav(tone(2)), two)
    with pytest.raises(AudioTooLong):
        await decoding(wav(tone(2.001)), two)
    with pytest.raises(AudioTooLong):  # whatever the header says
        await decoding(wav(tone(3), declared=16_000 * 2 * 4), two)


async def test_a_bomb_is_stopped_at_the_limit(decoding: Decode, limits: DecodeLimits) -> None:
    bomb = silent_flac(3)
    assert len(bomb) * 100 < 3 * 3600 * 32_000
    with pytest.raises(AudioTooLong, match="longer than 0.25 hours"):
        await decoding(bomb, msgspec.structs.replace(limits, audio_seconds=900))


async def test_pcm_over_the_lease_names_the_limit_that_can_be_raised(
    decoding: Decode, limits: DecodeLimits
) -> None:
    for room in (60_000, 0, -1):
        with pytest.raises(WorkerMemoryExceeded, match=rf"worker_memory \({1 << 28} bytes\)"):
            await decoding(wav(tone(2)), msgspec.structs.replace(limits, pcm_bytes=room))
    await decoding(wav(tone(2)), msgspec.structs.replace(limits, pcm_bytes=64_000))


async def test_a_decoder_that_runs_out_of_memory(decoding: Decode, limits: DecodeLimits) -> None:
    content = encoded("mp4", "aac", tone(20))
    with pytest.raises(AudioUnreadable, match="too much memory"):
        await decoding(content, msgspec.structs.replace(limits, address_space=1 << 20))


@pytest.mark.parametrize("rate", [1, 999, 768_001])
async def test_a_sample_rate_that_makes_no_sense(decoding: Decode, rate: int) -> None:
    with pytest.raises(AudioUnreadable, match=f"{rate} Hz makes no sense"):
        await decoding(wav(tone(2), rate))


async def test_no_descriptor_stays_open(decoding: Decode) -> None:
    await decoding(wav(tone(1)))
    before = _descriptors()
    await decoding(wav(tone(1)))
    for content in (b"", b"garbage"):
        with pytest.raises((AudioEmpty, AudioUnreadable)):
            await decoding(content)
    assert _descriptors() == before


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
