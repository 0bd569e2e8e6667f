"""`GET /v1/jobs/{jobId}/events`: progress as it happens, and the end of the stream."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest

from onprem.services import job_events
from onprem.services.keys import Scope
from tests.support.audio import tone
from tests.support.engine import FakeEngine
from tests.support.rows import cancel_elsewhere
from tests.support.server import Running

Event = tuple[str, dict[str, object]]


@pytest.fixture(autouse=True)
def _as_fast_as_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_events, "LEAST_SECONDS", 0.0)
    monkeypatch.setattr(job_events, "QUIET_SECONDS", 0.05)


@asynccontextmanager
async def following(server: Running, job_id: str) -> AsyncIterator[AsyncIterator[Event | str]]:
    """Events by name and data, and what else the stream holds as text."""
    async with server.client.stream("GET", f"/v1/jobs/{job_id}/events") as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].partition(";")[0] == "text/event-stream"
        assert answer.headers["cache-control"] == "no-store"
        yield _events(answer.aiter_lines())


async def _events(lines: AsyncIterator[str]) -> AsyncIterator[Event | str]:
    name = ""
    async for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, msgspec.json.decode(line.removeprefix("data: "))
        elif line:
            yield line


async def next_event(events: AsyncIterator[Event | str]) -> Event:
    async with asyncio.timeout(20):
        while isinstance(event := await anext(events), str):
            pass
    return event


async def all_events(events: AsyncIterator[Event | str]) -> list[Event]:
    async with asyncio.timeout(20):
        return [event async for event in events if not isinstance(event, str)]


async def computing(server: Running, engine: FakeEngine) -> str:
    engine.gate.clear()
    job_id = await server.diarize(url=await server.upload(tone(1.0)))
    await asyncio.to_thread(engine.started.wait)
    return job_id


async def test_a_job_is_followed_to_its_end(server: Running, engine: FakeEngine) -> None:
    job_id = await computing(server, engine)
    async with following(server, job_id) as events:
        assert await anext(events) == "retry: 2000"
        at_once = {"status": "running", "stage": "segmentation", "percent": 50}
        assert await next_event(events) == ("progress", at_once)
        server.server.runner._progress.report(job_id, "embedding", 0.25)
        then = {"status": "running", "stage": "embedding", "percent": 25}
        assert await next_event(events) == ("progress", then)
        engine.gate.set()
        rest = await all_events(events)
    assert rest[-1] == ("done", {"status": "succeeded"})
    assert [name for name, _ in rest].count("done") == 1


async def test_a_job_that_has_ended_says_so_and_nothing_else(server: Running) -> None:
    job_id = await server.diarize(url=await server.upload(b"no audio"))
    await server.finished(job_id)
    for _ in range(2):  # as often as somebody connects
        async with following(server, job_id) as events:
            assert await all_events(events) == [("done", {"status": "failed"})]


async def test_a_waiting_job_moves_up_in_the_queue(server: Running, engine: FakeEngine) -> None:
    first = await computing(server, engine)
    others = [await server.diarize(url="media://a.wav") for _ in range(3)]
    async with following(server, others[-1]) as events:
        _, data = await next_event(events)
        assert data == {"status": "created", "queuePosition": data["queuePosition"]}
        position = data["queuePosition"]
        assert position in (2, 3)  # one of them may be decoded already
        assert (await server.client.post(f"/v1/jobs/{first}/cancel")).status_code == 200
        while data.get("queuePosition") == position:
            _, data = await next_event(events)
        engine.gate.set()
        assert (await all_events(events))[-1] == ("done", {"status": "succeeded"})


async def test_silence_is_broken_by_comments(server: Running, engine: FakeEngine) -> None:
    job_id = await computing(server, engine)
    async with following(server, job_id) as events:
        await next_event(events)
        async with asyncio.timeout(20):
            assert await anext(events) == ": still here"


async def test_what_another_process_does_is_seen_too(server: Running, engine: FakeEngine) -> None:
    await computing(server, engine)
    waiting = [await server.diarize(url="media://a.wav") for _ in range(3)][-1]
    async with following(server, waiting) as events:
        await next_event(events)
        await cancel_elsewhere(server, waiting)
        assert (await all_events(events))[-1] == ("done", {"status": "canceled"})


async def test_a_job_that_is_deleted_meanwhile_ends_as_canceled(
    server: Running, engine: FakeEngine
) -> None:
    await computing(server, engine)
    waiting = [await server.diarize(url="media://a.wav") for _ in range(3)][-1]
    async with following(server, waiting) as events:
        await next_event(events)
        assert (await server.client.delete(f"/v1/jobs/{waiting}")).status_code == 204
        assert (await all_events(events))[-1] == ("done", {"status": "canceled"})


async def test_the_stream_ends_when_the_server_stops(server: Running, engine: FakeEngine) -> None:
    job_id = await computing(server, engine)
    async with following(server, job_id) as events:
        await next_event(events)
        server.server.runner.stop()
        assert "done" not in [name for name, _ in await all_events(events)]


async def test_nobody_is_listened_to_once_they_have_gone(
    server: Running, engine: FakeEngine
) -> None:
    job_id = await computing(server, engine)
    board = server.server.runner._progress
    async with following(server, job_id) as events:
        await next_event(events)
        assert list(board._watchers) == [job_id]
    async with asyncio.timeout(20):
        while board._watchers:
            await asyncio.sleep(0.02)


async def test_another_projects_job_cannot_be_followed(server: Running, engine: FakeEngine) -> None:
    job_id = await computing(server, engine)
    await server.create_project("other")
    for key, status in (
        (await server.key("other"), 404),
        (await server.key(scopes=[Scope.JOBS_WRITE]), 403),
    ):
        headers = {"authorization": f"Bearer {key}"}
        answer = await server.client.get(f"/v1/jobs/{job_id}/events", headers=headers)
        assert answer.status_code == status
