"""Jobs with a client on the line: a stop ends them, for nobody has their recording afterwards."""

import asyncio
from typing import Any

import httpx
import pytest

from onprem.errors import ModelMissing
from onprem.services.speech_to_text import SpeechToText
from tests.runner.conftest import Start
from tests.support.audio import tone
from tests.support.engine import FakeEngine
from tests.support.rows import row
from tests.support.server import Running

FORM: dict[str, Any] = {
    "files": {"file": ("a.wav", tone(1.0))},
    "data": {"model": "whisper-base"},
}


def call(server: Running) -> asyncio.Task[httpx.Response]:
    return asyncio.create_task(server.client.post("/v1/audio/transcriptions", **FORM))


async def only_job(server: Running) -> str:
    (job,) = (await server.client.get("/v2/jobs")).json()["items"]
    return str(job["id"])


async def receipts(server: Running, job_id: str) -> list[tuple[str, str]]:
    found = (await server.client.get(f"/v1/jobs/{job_id}/receipts")).json()["receipts"]
    return sorted((each["kind"], each["reason"]) for each in found)


async def test_a_stop_while_it_computes_is_a_503_that_says_so(
    start: Start, engine: FakeEngine
) -> None:
    engine.gate.clear()
    async with start() as server:
        answer = call(server)
        await asyncio.to_thread(engine.started.wait)
        server.server.runner.stop()
        refused = await answer
    assert refused.status_code == 503
    assert refused.json()["error"]["code"] == "recording_lost"
    job_id = refused.headers["x-onprem-job-id"]
    assert row(server, job_id, "status, error_code") == ("failed", "recording_lost")

    async with start() as server:
        assert await receipts(server, job_id) == [
            ("output", "delivered"),
            ("request", "job_ended"),
            ("worker_copy", "job_ended"),
        ]
    assert len(engine.heard) == 1


async def test_a_stop_before_it_was_claimed_is_one_too(
    start: Start, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.load_raises = ModelMissing(model="m", folder="f")
    began = asyncio.Event()
    begin = SpeechToText.begin

    async def seen(*arguments: Any, **options: Any) -> Any:
        talk = await begin(*arguments, **options)
        began.set()
        return talk

    monkeypatch.setattr(SpeechToText, "begin", seen)
    async with httpx.AsyncClient(trust_env=False, timeout=20) as patient:
        async with start() as server:
            # A client of its own, which does not hang up when the server stops.
            answer = asyncio.create_task(
                patient.post(
                    f"{server.client.base_url}/v1/audio/transcriptions",
                    headers=server.client.headers,
                    **FORM,
                )
            )
            await began.wait()
            job_id = await only_job(server)
        refused = await answer
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "recording_lost")
    assert row(server, job_id, "status, claims") == ("canceled", 0)

    engine.load_raises = None
    async with start() as server:
        assert await receipts(server, job_id) == [
            ("request", "job_ended"),
            ("worker_copy", "job_ended"),
        ]
    assert engine.heard == []


async def test_an_output_that_a_crash_kept_is_deleted_at_the_next_start(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def crashed(*_: object) -> None:
        """As if the process had died when the answer was out."""

    with monkeypatch.context() as patch:
        patch.setattr(SpeechToText, "_delete", crashed)
        async with start() as server:
            answer = await call(server)
            assert answer.status_code == 200
    job_id = answer.headers["x-onprem-job-id"]
    assert row(server, job_id, "status") == ("succeeded",)

    async with start() as server:
        job = await server.job(job_id)
        assert "output" not in job and "outputExpiredAt" in job
        assert ("output", "crash") in await receipts(server, job_id)
