"""Deadlines of projects and of single jobs: shorter than the server's, never longer."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from onprem.config.settings import Retention
from tests.support.audio import tone
from tests.support.clock import FakeClock
from tests.support.engine import FakeEngine
from tests.support.server import Running, install, running, settings_in

HOUR = 3600
DAY = 24 * HOUR


async def set_project(server: Running, **fields: object) -> None:
    answer = await server.client.patch("/v1/admin/projects/default", json=fields)
    assert answer.status_code == 200, answer.text


async def finished(server: Running, **body: object) -> str:
    job_id = await server.diarize(url=await server.upload(tone(1.0)), **body)
    assert (await server.finished(job_id))["status"] == "succeeded"
    return job_id


async def assert_lives(server: Running, clock: FakeClock, job_id: str, seconds: int) -> None:
    """Readable until a second before, absent from then on, though nothing has swept."""
    job = await server.job(job_id)
    assert epoch(job["expiresAt"]) - clock.now() == seconds
    clock.advance(seconds - 1)
    assert "output" in await server.job(job_id)
    clock.advance(1)
    after = await server.job(job_id)
    assert "output" not in after and after["outputExpiredAt"] == job["expiresAt"]


def epoch(moment: Any) -> float:
    return datetime.fromisoformat(moment).timestamp()


async def refused(server: Running, **body: object) -> dict[str, str]:
    url = await server.upload(tone(1.0))
    answer = await server.client.post("/v1/diarize", json={"url": url, **body})
    assert answer.status_code == 400, answer.text
    return {error["field"]: error["message"] for error in answer.json()["errors"]}


@pytest.mark.parametrize(
    ("project", "job", "lives"),
    [
        (None, None, DAY),
        (HOUR, None, HOUR),
        (None, HOUR, HOUR),
        (HOUR, 60, 60),
        (HOUR, HOUR, HOUR),
        (HOUR, 0, HOUR),
        (0, HOUR, HOUR),
        (None, 0, DAY),
    ],
)
async def test_the_shortest_holds(
    server: Running, clock: FakeClock, project: int | None, job: int | None, lives: int
) -> None:
    """0 means until it is delivered, which this one never is: a plain GET delivers nothing."""
    await set_project(server, outputRetention=project)
    job_id = await finished(server, outputRetention=job)
    await assert_lives(server, clock, job_id, lives)


@pytest.mark.parametrize("asked", [HOUR + 1, DAY])
async def test_a_job_cannot_lengthen_what_holds_for_its_project(
    server: Running, asked: int
) -> None:
    await set_project(server, outputRetention=HOUR)
    faults = await refused(server, outputRetention=asked)
    assert faults == {"outputRetention": "May be shorter than 3600, never longer"}


@pytest.mark.parametrize("asked", [DAY + 1, -1, "1h", 1.5])
async def test_a_job_cannot_ask_for_more_than_the_promise(server: Running, asked: object) -> None:
    assert list(await refused(server, outputRetention=asked)) == ["outputRetention"]


@pytest.mark.parametrize(
    "fields",
    [
        {"outputRetention": DAY + 1},
        {"outputRetention": -1},
        {"mediaRetention": 2 * DAY + 1},
        {"mediaRetention": 0},
    ],
)
async def test_nor_can_a_project(server: Running, fields: dict[str, int]) -> None:
    answer = await server.client.patch("/v1/admin/projects/default", json=fields)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == list(fields)


async def test_a_project_shortens_the_life_of_its_media(server: Running, clock: FakeClock) -> None:
    await server.upload(tone(1.0), "media://before.wav")
    await set_project(server, mediaRetention=HOUR)
    await server.upload(tone(1.0), "media://after.wav")
    clock.advance(HOUR - 1)
    assert await urls(server) == ["media://after.wav", "media://before.wav"]
    clock.advance(1)
    assert await urls(server) == ["media://before.wav"]  # it keeps what it came with
    late = await server.client.post("/v1/diarize", json={"url": "media://after.wav"})
    assert late.status_code == 400


async def urls(server: Running) -> list[str]:
    return [item["url"] for item in (await server.client.get("/v1/media")).json()["items"]]


async def test_a_job_keeps_what_held_when_it_was_submitted(
    server: Running, clock: FakeClock, engine: FakeEngine
) -> None:
    engine.gate.clear()
    job_id = await server.diarize(url=await server.upload(tone(1.0)))
    await set_project(server, outputRetention=60)
    engine.gate.set()
    await server.finished(job_id)
    await assert_lives(server, clock, job_id, DAY)


@pytest.fixture
async def strict(tmp_path: Path, engine: FakeEngine, clock: FakeClock) -> AsyncIterator[Running]:
    """A server whose operator keeps outputs for an hour, and media for two."""
    settings = settings_in(tmp_path / "strict", retention=Retention(media=2 * HOUR, output=HOUR))
    (tmp_path / "strict").mkdir()
    key = await install(settings, clock)
    async with running(settings, engine, key, clock) as server:
        yield server


async def test_the_operators_setting_is_the_ceiling(strict: Running, clock: FakeClock) -> None:
    await set_project(strict, outputRetention=DAY, mediaRetention=2 * DAY)
    assert list(await refused(strict, outputRetention=HOUR + 1)) == ["outputRetention"]
    (item,) = (await strict.client.get("/v1/media")).json()["items"]
    assert epoch(item["expiresAt"]) - clock.now() == 2 * HOUR
    await assert_lives(strict, clock, await finished(strict), HOUR)
