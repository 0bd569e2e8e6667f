"""The quota of a project's media: told before the bytes are sent, exact when they race."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.audio import tone
from tests.support.clock import FakeClock
from tests.support.engine import FakeEngine
from tests.support.server import Running


@pytest.fixture(autouse=True)
async def _quota(server: Running) -> None:
    await set_quota(server, 1000)


async def set_quota(server: Running, size: int | None) -> None:
    answer = await server.client.patch("/v1/admin/projects/default", json={"mediaBytes": size})
    assert answer.status_code == 200, answer.text


async def put(server: Running, content: bytes | AsyncIterator[bytes], url: str) -> int:
    link = (await server.client.post("/v1/media/input", json={"url": url})).json()["url"]
    answer = await server.client.put(link, content=content)
    if answer.status_code != 200:
        assert answer.status_code == 413
        assert answer.json()["code"] == "media_quota_exceeded"
        assert "1000" in answer.json()["message"]
    return answer.status_code


def files(server: Running) -> list[Path]:
    return list((server.settings.storage.data_dir / "blobs").iterdir())


async def test_the_last_byte_fits_and_one_more_does_not(server: Running) -> None:
    assert await put(server, bytes(600), "media://a") == 200
    assert await put(server, bytes(401), "media://b") == 413
    assert await put(server, bytes(400), "media://b") == 200
    assert await put(server, b"x", "media://c") == 413
    assert len(files(server)) == 2


async def test_a_stream_of_unknown_length_keeps_nothing_beyond_it(server: Running) -> None:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield bytes(500)

    assert await put(server, body(), "media://a") == 413
    assert files(server) == []


async def test_a_new_version_needs_no_room_for_the_old_one(server: Running) -> None:
    assert await put(server, bytes(900), "media://a") == 200
    assert await put(server, bytes(1000), "media://a") == 200
    assert await put(server, bytes(1), "media://b") == 413


async def test_an_old_version_counts_while_a_job_needs_it(
    server: Running, engine: FakeEngine
) -> None:
    audio = tone(1.0)
    await set_quota(server, len(audio) + 1000)
    engine.gate.clear()
    bound = await server.diarize(url=await server.upload(audio))
    link = (await server.client.post("/v1/media/input", json={"url": "media://a.wav"})).json()
    refused = await server.client.put(link["url"], content=bytes(1001))
    assert refused.status_code == 413
    assert (await server.client.put(link["url"], content=bytes(1000))).status_code == 200
    engine.gate.set()
    await server.finished(bound)
    await server.upload(bytes(len(audio)), "media://b")


async def test_room_comes_back_with_deletion_and_deadline(
    server: Running, clock: FakeClock
) -> None:
    assert await put(server, bytes(1000), "media://a") == 200
    assert await put(server, b"x", "media://b") == 413
    await server.client.delete("/v1/media", params={"url": "media://a"})
    assert await put(server, bytes(1000), "media://b") == 200
    clock.advance(48 * 3600)
    assert await put(server, bytes(1000), "media://c") == 200


async def test_uploads_at_once_cannot_pass_it_together(server: Running) -> None:
    """Each would fit alone, and is told so before it sends its bytes."""
    started, everybody = [], asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield bytes(200)
        started.append(1)
        if len(started) == 5:
            everybody.set()
        await everybody.wait()
        yield bytes(200)

    async with asyncio.timeout(20):
        done = await asyncio.gather(*(put(server, slow(), f"media://{n}") for n in range(5)))
    assert sorted(done) == [200, 200, 413, 413, 413]
    assert len(files(server)) == 2


async def test_it_is_one_projects_own_and_can_be_taken_away(server: Running) -> None:
    assert await put(server, bytes(1000), "media://a") == 200
    await server.create_project("other")
    headers = {"authorization": f"Bearer {await server.key('other')}"}
    body = {"url": "media://a"}
    link = (await server.client.post("/v1/media/input", json=body, headers=headers)).json()["url"]
    assert (await server.client.put(link, content=bytes(5000))).status_code == 200
    await set_quota(server, None)
    assert await put(server, bytes(5000), "media://b") == 200


async def test_a_quota_below_what_is_there_deletes_nothing(server: Running) -> None:
    assert await put(server, bytes(900), "media://a") == 200
    await set_quota(server, 0)
    link = (await server.client.post("/v1/media/input", json={"url": "media://b"})).json()["url"]
    assert (await server.client.put(link, content=b"")).status_code == 413
    assert len((await server.client.get("/v1/media")).json()["items"]) == 1
