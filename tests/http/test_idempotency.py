"""`Idempotency-Key`: the same request is done once, whatever happens in between."""

import asyncio
from pathlib import Path

import httpx
import pytest

from onprem.config.settings import Limits
from onprem.errors import StorageFull
from onprem.services.submit import Submission
from tests.support.audio import tone
from tests.support.clock import FakeClock
from tests.support.engine import FakeEngine
from tests.support.server import Running, install, running, settings_in

BODY = {"url": "media://a.wav", "model": "precision-2", "colour": "blue"}


async def submit(server: Running, key: str, body: object = BODY, **headers: str) -> httpx.Response:
    return await server.client.post(
        "/v1/diarize", json=body, headers={"idempotency-key": key, **headers}
    )


async def jobs(server: Running) -> int:
    total = (await server.client.get("/v1/jobs")).json()["total"]
    assert isinstance(total, int)
    return total


@pytest.fixture
async def uploaded(server: Running) -> Running:
    await server.upload(tone(1.0))
    return server


async def test_the_same_request_has_the_same_answer(uploaded: Running) -> None:
    first = await submit(uploaded, "k1")
    await uploaded.finished(first.json()["jobId"])
    again = await submit(uploaded, "k1")
    assert (again.status_code, again.json()) == (200, first.json())
    assert "precision-2" in first.json()["warning"] and "colour" in first.json()["warning"]
    assert await jobs(uploaded) == 1


async def test_another_key_or_none_makes_another_job(uploaded: Running) -> None:
    await submit(uploaded, "k1")
    await submit(uploaded, "k2")
    await uploaded.diarize(**BODY)
    assert await jobs(uploaded) == 3


async def test_another_body_under_the_same_key_is_refused(uploaded: Running) -> None:
    await submit(uploaded, "k1")
    answer = await submit(uploaded, "k1", {**BODY, "numSpeakers": 2})
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_reused")
    assert await jobs(uploaded) == 1


async def test_projects_have_keys_of_their_own(uploaded: Running) -> None:
    await submit(uploaded, "k1")
    await uploaded.create_project("other")
    key = await uploaded.key("other")
    body = {"url": "https://example.com/a.wav"}
    answer = await submit(uploaded, "k1", body, authorization=f"Bearer {key}")
    assert answer.status_code == 200


@pytest.mark.parametrize("key", ["", "ü".encode(), "a" * 256, "tab\there"])
async def test_a_key_that_is_none_is_a_400(uploaded: Running, key: str | bytes) -> None:
    answer = await uploaded.client.post(
        "/v1/diarize", json=BODY, headers=[(b"idempotency-key", _raw(key))]
    )
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["Idempotency-Key"]
    assert await jobs(uploaded) == 0


def _raw(key: str | bytes) -> bytes:
    return key if isinstance(key, bytes) else key.encode()


@pytest.mark.parametrize("key", ["a" * 255, "~ !", "k"])
async def test_keys_of_printable_ascii(uploaded: Running, key: str) -> None:
    for _ in range(2):
        assert (await submit(uploaded, key)).status_code == 200
    assert await jobs(uploaded) == 1


async def test_a_refused_request_frees_the_key(
    uploaded: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await submit(uploaded, "k1", {"url": "media://nobody"})).status_code == 400

    async def full(*_: object) -> str:
        raise StorageFull()

    with monkeypatch.context() as patch:
        patch.setattr(Submission, "_insert", full)
        assert (await submit(uploaded, "k1")).status_code == 507
    assert (await submit(uploaded, "k1")).status_code == 200
    assert await jobs(uploaded) == 1


async def test_while_the_first_is_in_work_the_second_is_told_to_come_again(
    uploaded: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    inserting, go_on = asyncio.Event(), asyncio.Event()
    insert = Submission._insert

    async def slow(self: Submission, *arguments: object) -> str:
        inserting.set()
        await go_on.wait()
        return await insert(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Submission, "_insert", slow)
    first = asyncio.create_task(submit(uploaded, "k1"))
    await inserting.wait()
    answer = await submit(uploaded, "k1")
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_in_flight")
    assert int(answer.headers["retry-after"]) >= 1
    other = await submit(uploaded, "k1", {**BODY, "numSpeakers": 2})
    assert other.json()["code"] == "idempotency_key_reused"
    go_on.set()
    again = await submit(uploaded, "k1")
    while again.status_code == 409:
        again = await submit(uploaded, "k1")
    assert again.json() == (await first).json()
    assert await jobs(uploaded) == 1


async def test_an_answer_that_was_lost_is_given_again(
    uploaded: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert = Submission._insert

    async def dies_after(self: Submission, *arguments: object) -> str:
        await insert(self, *arguments)  # type: ignore[arg-type]
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(Submission, "_insert", dies_after)
        assert (await submit(uploaded, "k1")).status_code == 500
    again = await submit(uploaded, "k1")
    (job,) = (await uploaded.client.get("/v1/jobs")).json()["items"]
    assert again.json()["jobId"] == job["jobId"]


async def test_a_key_is_remembered_over_a_restart_and_for_a_day(
    tmp_path: Path, engine: FakeEngine, clock: FakeClock
) -> None:
    settings = settings_in(tmp_path, limits=Limits())
    key = await install(settings, clock)
    async with running(settings, engine, key, clock) as server:
        await server.upload(tone(1.0))
        first = (await submit(server, "k1")).json()
    async with running(settings, engine, key, clock) as server:
        clock.advance(24 * 3600 - 1)
        assert (await submit(server, "k1")).json() == first
        clock.advance(1)
        assert (await submit(server, "k1")).json()["jobId"] != first["jobId"]


async def test_neither_key_nor_body_is_kept(uploaded: Running, clock: FakeClock) -> None:
    await submit(uploaded, "marker-of-a-key")
    database = uploaded.server.use.jobs._database
    ((key, request, job_id),) = await database.fetchall(
        "SELECT key, request, job_id FROM idempotency"
    )
    assert (len(key), len(request)) == (32, 32)
    for file in (uploaded.settings.storage.data_dir).rglob("*"):
        assert not file.is_file() or b"marker-of-a-key" not in file.read_bytes()
    clock.advance(24 * 3600)
    await uploaded.server.sweep.run()
    assert await database.fetchall("SELECT * FROM idempotency") == []


async def test_a_job_that_was_deleted_is_not_made_again(uploaded: Running) -> None:
    first = await submit(uploaded, "k1")
    job_id = first.json()["jobId"]
    await uploaded.finished(job_id)
    assert (await uploaded.client.delete(f"/v1/jobs/{job_id}")).status_code == 204
    assert (await submit(uploaded, "k1")).json() == first.json()
    assert await jobs(uploaded) == 0
