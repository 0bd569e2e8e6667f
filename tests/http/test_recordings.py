"""Recordings of every kind through the API: what decodes succeeds, what cannot says why."""

from pathlib import Path

import pytest

from tests.support.audio import tone
from tests.support.engine import FakeEngine
from tests.support.server import Running


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


BAD = {
    "empty": (b"", "the file is empty"),
    "garbage": (bytes(range(256)) * 400, "Could not load audio"),
    "text": (b"#EXTM3U\nfile:///etc/passwd\n", "Could not load audio"),
    "too short": (tone(0.2), "lasts 0.20 s"),
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


async def test_every_container_at_hand(server: Running, shared_data: Path) -> None:
    for path in sorted((shared_data / "asr" / "containers").iterdir()):
        if path.suffix == ".txt":
            continue
        job = await outcome(server, path.read_bytes())
        assert job["status"] == "succeeded", (path.name, job)
