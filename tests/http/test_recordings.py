"""Recordings of every kind through the API: what decodes succeeds, what cannot says why."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.audio import tone
from tests.support.engine import FakeEngine
from tests.support.recordings import (
    Samples,
    mu_law,
    tone as samples_of_a_tone,
    video_without_sound,
    wav,
)
from tests.support.server import Running


def floats(samples: Samples) -> bytes:
    return wav(samples, rate=8000, form=3, dtype="<f4")


async def outcome(server: Running, audio: bytes) -> dict[str, object]:
    return await server.finished(await server.diarize(url=await server.upload(audio)))


@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (44_100, 2), (48_000, 8), (96_000, 1)])
async def test_any_rate_and_channel_count(
    server: Running, engine: FakeEngine, rate: int, channels: int
) -> None:
    job = await outcome(server, tone(1.0, rate=rate, channels=channels))
    assert job["status"] == "succeeded", job
    ((_, samples),) = engine.heard
    assert samples == pytest.approx(16_000, abs=100)


@pytest.mark.parametrize("make", [floats, mu_law], ids=["float32", "mu-law"])
async def test_wav_of_other_sample_formats(
    server: Running, engine: FakeEngine, make: Callable[[Samples], bytes]
) -> None:
    job = await outcome(server, make(samples_of_a_tone(1.0, 8000)))
    assert job["status"] == "succeeded", job
    ((_, samples),) = engine.heard
    assert samples == pytest.approx(16_000, abs=100)


BAD = {
    "empty": (b"", "the file is empty"),
    "garbage": (bytes(range(256)) * 400, "Could not load audio"),
    "text": (b"#EXTM3U\nfile:///etc/passwd\n", "Could not load audio"),
    "too short": (tone(0.2), "lasts 0.20 s"),
    "video without sound": (video_without_sound(), "no audio stream"),
    "truncated": (tone(10.0)[:100_000], "breaks off after"),
}


@pytest.mark.parametrize("name", BAD)
async def test_what_cannot_be_used_fails_with_its_reason(server: Running, name: str) -> None:
    audio, reason = BAD[name]
    job = await outcome(server, audio)
    assert job["status"] == "failed"
    output = job["output"]
    assert isinstance(output, dict) and set(output) == {"error"}
    assert reason in output["error"]
    assert (await outcome(server, tone(1.0)))["status"] == "succeeded"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSEGV])
async def test_a_decoder_that_dies_fails_its_job_alone(
    server: Running, engine: FakeEngine, how: signal.Signals
) -> None:
    doomed = await server.diarize(url=await server.upload(tone(60.0)))
    async with asyncio.timeout(10):
        while not (children := decoder_children()):
            await asyncio.sleep(0)
    for child in children:
        os.kill(child, how)

    job = await server.finished(doomed)
    assert job["status"] == "failed"
    output = job["output"]
    assert isinstance(output, dict) and how.name in output["error"]
    assert (await outcome(server, tone(1.0)))["status"] == "succeeded"


def decoder_children() -> list[int]:
    """Processes of this one's that run the decoder."""
    found = []
    for task in Path("/proc/self/task").iterdir():
        for child in (task / "children").read_text().split():
            if b"onprem.media.decoder" in Path(f"/proc/{child}/cmdline").read_bytes():
                found.append(int(child))
    return found


async def test_every_container_at_hand(server: Running, shared_data: Path) -> None:
    for path in sorted((shared_data / "asr" / "containers").iterdir()):
        if path.suffix == ".txt":
            continue
        job = await outcome(server, path.read_bytes())
        assert job["status"] == "succeeded", (path.name, job)
