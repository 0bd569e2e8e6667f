"""A bounded queue, and what a waiting job is told about it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import httpx
import pytest

from onprem.config.settings import Limits
from onprem.core.project import ProjectSettings
from onprem.http.views import iso
from onprem.store import projects
from tests.support.audio import tone
from tests.support.clock import FakeClock
from tests.support.engine import FakeEngine
from tests.support.server import Running, install, running, settings_in

Start = Callable[[int], AbstractAsyncContextManager[Running]]


@pytest.fixture
def start(tmp_path: Path, engine: FakeEngine, clock: FakeClock) -> Start:
    """Starts a server whose queue takes so many jobs; one of 1 s is uploaded."""

    @asynccontextmanager
    async def started(length: int) -> AsyncIterator[Running]:
        settings = settings_in(tmp_path, limits=Limits(queue_length=length))
        key = await install(settings, clock)
        async with running(settings, engine, key, clock) as server:
            await server.upload(tone(1.0))
            yield server
            engine.gate.set()

    return started


async def submit(server: Running, **headers: str) -> httpx.Response:
    return await server.client.post("/v1/diarize", json={"url": "media://a.wav"}, headers=headers)


async def computing(server: Running, engine: FakeEngine) -> str:
    engine.gate.clear()
    engine.started.clear()
    job_id = await server.diarize(url="media://a.wav")
    await asyncio.to_thread(engine.started.wait)
    return job_id


def assert_full(answer: httpx.Response, limit: int, wait: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (429, "queue_full")
    assert set(answer.json()) == {"requestId", "message", "code"}
    assert f"{limit} " in answer.json()["message"]
    assert answer.headers["retry-after"] == wait


async def test_a_full_queue_refuses_until_a_job_has_ended(start: Start, engine: FakeEngine) -> None:
    async with start(2) as server:
        first = await computing(server, engine)
        second = await server.diarize(url="media://a.wav")
        assert_full(await submit(server), 2, "60")
        total = (await server.client.get("/v1/jobs")).json()["total"]
        assert total == 2
        assert (await server.client.post(f"/v1/jobs/{second}/cancel")).status_code == 200
        assert (await submit(server)).status_code == 200
        assert_full(await submit(server), 2, "60")
        engine.gate.set()
        assert (await server.finished(first))["status"] == "succeeded"
        assert (await submit(server)).status_code == 200


async def test_retry_after_is_what_a_job_takes_here(
    start: Start, engine: FakeEngine, clock: FakeClock
) -> None:
    async with start(1) as server:
        measured = await computing(server, engine)
        clock.advance(12.3)
        engine.gate.set()
        await server.finished(measured)
        await computing(server, engine)
        assert_full(await submit(server), 1, "13")


async def test_a_project_has_a_quota_of_its_own(start: Start, engine: FakeEngine) -> None:
    async with start(1000) as server:
        await server.create_project("other")
        other = {"authorization": f"Bearer {await server.key('other')}"}
        database = server.server.use.jobs._database
        mine = await projects.by_name(database, "default")
        assert mine is not None
        async with database.write() as tx:
            await projects.change(tx, mine, ProjectSettings(queued_jobs=1))
        await computing(server, engine)
        assert_full(await submit(server), 1, "60")
        answer = await server.client.post(
            "/v1/diarize", json={"url": "https://example.com/a.wav"}, headers=other
        )
        assert answer.status_code == 200


async def test_a_repeated_request_is_answered_though_the_queue_is_full(
    start: Start, engine: FakeEngine
) -> None:
    async with start(1) as server:
        engine.gate.clear()
        first = await submit(server, **{"idempotency-key": "k1"})
        assert_full(await submit(server, **{"idempotency-key": "k2"}), 1, "60")
        assert (await submit(server, **{"idempotency-key": "k1"})).json() == first.json()
        # The refused one has left no trace of its key.
        engine.gate.set()
        await server.finished(first.json()["jobId"])
        assert (await submit(server, **{"idempotency-key": "k2"})).status_code == 200


async def test_a_waiting_job_has_a_position_and_once_it_is_known_an_eta(
    start: Start, engine: FakeEngine, clock: FakeClock
) -> None:
    async with start(1000) as server:
        measured = await computing(server, engine)
        waiting = [await server.diarize(url="media://a.wav") for _ in range(4)]
        job = await server.job(waiting[-1])
        assert isinstance(job["queuePosition"], int) and "eta" not in job
        clock.advance(100.0)
        engine.gate.set()
        for job_id in (measured, *waiting):
            await server.finished(job_id)

        # 100 s for the first, and nothing for those after it.
        needed = server.server.use.jobs._speed.needed(None)
        assert needed is not None and 0 < needed < 100
        await computing(server, engine)
        waiting = [await server.diarize(url="media://a.wav") for _ in range(3)]
        job = await server.job(waiting[-1])
        position = job["queuePosition"]
        assert position in (2, 3)  # one of them may be decoded already
        ahead = 3  # it computes, or is decoded, or waits: each needs its time
        assert job["eta"] == iso(clock.now() + (ahead + 1) * needed)
        engine.gate.set()
        for job_id in waiting:
            ended = await server.finished(job_id)
            assert "queuePosition" not in ended and "eta" not in ended


async def test_a_running_job_has_an_eta(start: Start, engine: FakeEngine, clock: FakeClock) -> None:
    async with start(1000) as server:
        measured = await computing(server, engine)
        assert "eta" not in await server.job(measured)
        clock.advance(30.0)
        engine.gate.set()
        await server.finished(measured)
        job_id = await computing(server, engine)
        assert (await server.job(job_id))["eta"] == iso(clock.now() + 30.0)
        clock.advance(31.0)  # it takes longer than was thought: nothing is known
        assert "eta" not in await server.job(job_id)


async def test_a_failed_job_says_why_until_its_deadline(server: Running, clock: FakeClock) -> None:
    job_id = await server.diarize(url=await server.upload(b"no audio at all" * 100))
    job = await server.finished(job_id)
    output = job["output"]
    assert job["status"] == "failed"
    assert isinstance(output, dict) and "Could not load audio" in output["error"]
    clock.advance(24 * 3600)
    expired = await server.job(job_id)
    assert "output" not in expired
    assert expired["outputExpiredAt"] == job["expiresAt"]
