"""`onprem jobs`, `media` and `usage`, beside a running server and without one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from msgspec.structs import replace

from onprem.clock import system_clock
from onprem.config.load import load_settings
from onprem.config.settings import Server
from tests.cli.conftest import Done, Onprem
from tests.support.audio import tone
from tests.support.engine import FakeEngine
from tests.support.server import Running, running

SECRET = "media://confidential/board-meeting.wav"


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def key(onprem: Onprem) -> str:
    return str(onprem("init", "--json").json["key"])


@asynccontextmanager
async def serving(engine: FakeEngine, key: str) -> AsyncIterator[Running]:
    settings = replace(load_settings(None), server=Server(port=0))
    async with running(settings, engine, key, system_clock()) as server:
        yield server


async def beside(onprem: Onprem, *arguments: str) -> Done:
    """A command while the server runs."""
    return await asyncio.to_thread(onprem, *arguments)


async def one_job(server: Running) -> str:
    return await server.diarize(url=await server.upload(tone(1.0), SECRET))


async def test_a_job_is_listed_and_shown_without_content(
    onprem: Onprem, engine: FakeEngine, key: str
) -> None:
    async with serving(engine, key) as server:
        job_id = await one_job(server)
        await server.finished(job_id)
        (listed,) = (await beside(onprem, "jobs", "list", "--json")).json
        assert (listed["id"], listed["project"], listed["kind"]) == (job_id, "default", "diarize")
        assert (listed["status"], listed["duration"]) == ("succeeded", 1.0)
        assert (await beside(onprem, "jobs", "list", "--status", "failed", "--json")).json == []
        shown = await beside(onprem, "jobs", "show", job_id)
        assert shown.code == 0 and job_id in shown.out
        assert "confidential" not in shown.out


async def test_a_running_job_is_canceled_from_outside(
    onprem: Onprem, engine: FakeEngine, key: str
) -> None:
    engine.gate.clear()
    async with serving(engine, key) as server:
        job_id = await one_job(server)
        await asyncio.to_thread(engine.started.wait)
        assert (await beside(onprem, "jobs", "cancel", job_id)).code == 0
        assert (await server.job(job_id))["status"] == "canceled"
        async with asyncio.timeout(20):  # though the engine's gate stays closed
            while (await server.job(job_id)).get("stopping"):
                await asyncio.sleep(0.02)


async def test_a_job_is_deleted_beside_a_server(
    onprem: Onprem, engine: FakeEngine, key: str
) -> None:
    async with serving(engine, key) as server:
        job_id = await one_job(server)
        await server.finished(job_id)
        done = await beside(onprem, "jobs", "delete", job_id, "--json")
        assert done.json == {"deleted": job_id, "stopping": False}
        assert (await server.client.get(f"/v1/jobs/{job_id}")).status_code == 404
        assert (await beside(onprem, "jobs", "list", "--json")).json == []


async def test_a_job_is_deleted_without_a_server(
    onprem: Onprem, engine: FakeEngine, key: str
) -> None:
    async with serving(engine, key) as server:
        job_id = await one_job(server)
        await server.finished(job_id)
    assert (await beside(onprem, "jobs", "delete", job_id)).code == 0
    async with serving(engine, key) as server:
        receipts: Any = await server.client.get(f"/v1/jobs/{job_id}/receipts")
        deleted = {(each["kind"], each["reason"]) for each in receipts.json()["receipts"]}
        assert ("output", "requested") in deleted


async def test_media_is_listed_and_deleted(onprem: Onprem, engine: FakeEngine, key: str) -> None:
    async with serving(engine, key) as server:
        await server.upload(tone(1.0), SECRET)
        (listed,) = (await beside(onprem, "media", "list", "--json")).json
        assert listed["size"] == len(tone(1.0))
        done = await beside(onprem, "media", "delete", SECRET)
        assert done.code == 0, done.err
        assert (await beside(onprem, "media", "list", "--json")).json == []
        assert (await server.client.get("/v1/media")).json()["items"] == []


async def test_usage_counts_jobs_and_audio(onprem: Onprem, engine: FakeEngine, key: str) -> None:
    async with serving(engine, key) as server:
        await server.finished(await one_job(server))
        shown = await beside(onprem, "usage", "--by", "project")
        assert shown.code == 0
        assert "diarize" in shown.out and "succeeded" in shown.out and "1" in shown.out
        assert "confidential" not in shown.out


@pytest.mark.parametrize("command", ["show", "cancel", "delete"])
def test_a_job_that_is_not_there(onprem: Onprem, key: str, command: str) -> None:
    done = onprem("jobs", command, "1a20dbb3-2c96-482d-b5ae-d7770645c786")
    assert done.code == 6
    assert "no such job" in done.err


def test_media_that_is_not_there(onprem: Onprem, key: str) -> None:
    assert onprem("media", "delete", "media://nothing.wav").code == 6
