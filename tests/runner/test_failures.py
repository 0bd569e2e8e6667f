"""What goes wrong with one job stays with that job, and says why."""

import logging

import pytest

from onprem.config.settings import Duration, Limits
from onprem.errors import ModelMissing, NoSpeech, StorageFull, StoreBusy
from onprem.runner import finish, job_run, loop
from onprem.runner.finish import Finisher
from onprem.store import jobs
from tests.runner.conftest import Start
from tests.support.audio import tone
from tests.support.clock import FakeClock
from tests.support.engine import FakeEngine
from tests.support.rows import change, row
from tests.support.server import Running

HOUR = 3600


async def reason(server: Running, job_id: str) -> str:
    """The code that a failed job ended with; its sentence is in the output."""
    job = await server.finished(job_id)
    assert job["status"] == "failed"
    output = job["output"]
    assert isinstance(output, dict) and list(output) == ["error"] and len(output["error"]) > 20
    (code,) = row(server, job_id, "error_code")
    assert isinstance(code, str)
    return code


@pytest.mark.parametrize("error", [ValueError("quoted words"), MemoryError(), KeyError("words")])
async def test_whatever_the_engine_raises_fails_that_job_alone(
    server: Running, engine: FakeEngine, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    url = await server.upload(tone(1.0))
    engine.raises = error
    assert await reason(server, await server.diarize(url=url)) == "engine_failed"
    engine.raises = None
    assert (await server.finished(await server.diarize(url=url)))["status"] == "succeeded"
    assert type(error).__name__ in caplog.text
    assert "words" not in caplog.text


async def test_a_failure_of_the_engine_keeps_its_reason(
    server: Running, engine: FakeEngine
) -> None:
    engine.raises = NoSpeech()
    job_id = await server.diarize(url=await server.upload(tone(1.0)))
    assert await reason(server, job_id) == "no_speech"


async def test_a_file_that_is_no_audio_fails(server: Running, engine: FakeEngine) -> None:
    job_id = await server.diarize(url=await server.upload(b"no audio at all" * 100))
    assert await reason(server, job_id) == "audio_unreadable"
    assert engine.heard == []


async def test_a_recording_that_is_too_long_fails(start: Start, engine: FakeEngine) -> None:
    async with start(limits=Limits(audio_duration=Duration(1))) as server:
        job_id = await server.diarize(url=await server.upload(tone(2.0)))
        assert await reason(server, job_id) == "audio_too_long"
    assert engine.heard == []


@pytest.mark.parametrize("swept", [True, False])
async def test_media_that_went_before_the_claim_is_media_expired(
    start: Start,
    engine: FakeEngine,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    swept: bool,
) -> None:
    monkeypatch.setattr(loop, "LOAD_AGAIN_SECONDS", 0.05)
    engine.load_raises = ModelMissing(model="starter", folder="/models")
    async with start(limits=Limits(queue_ttl=Duration(96 * HOUR))) as server:
        job_id = await server.diarize(url=await server.upload(tone(1.0)))
        clock.advance(48 * HOUR)
        if swept:
            assert (await server.server.sweep.run()).deleted == 1
        engine.load_raises = None
        assert await reason(server, job_id) == "media_expired"
        await server.server.sweep.run()


async def test_a_job_that_waits_too_long_is_queue_expired(
    start: Start, engine: FakeEngine, clock: FakeClock
) -> None:
    engine.load_raises = ModelMissing(model="starter", folder="/models")
    async with start() as server:
        job_id = await server.diarize(url=await server.upload(tone(1.0)))
        clock.advance(24 * HOUR + 1)
        await server.server.queue_expiry.run()
        assert await reason(server, job_id) == "queue_expired"


async def test_jobs_wait_for_missing_models_and_run_once_they_are_there(
    start: Start, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "LOAD_AGAIN_SECONDS", 0.05)
    engine.load_raises = ModelMissing(model="starter", folder="/models")
    async with start() as server:
        job_id = await server.diarize(url=await server.upload(tone(1.0)))
        answer = await server.client.get("/healthz/ready")
        assert (answer.status_code, answer.json()["code"]) == (503, "model_missing")
        assert (await server.job(job_id))["status"] == "created"

        engine.load_raises = None
        assert (await server.finished(job_id))["status"] == "succeeded"
        assert (await server.client.get("/healthz/ready")).status_code == 200


async def test_a_job_of_another_region_waits_and_blocks_nobody(
    server: Running, engine: FakeEngine
) -> None:
    lanes = server.server.runner._lanes
    lanes._jobs_in_work, in_work = 0, lanes._jobs_in_work
    url = await server.upload(tone(1.0))
    elsewhere, here = await server.diarize(url=url), await server.diarize(url=url)
    change(server, elsewhere, "region = 'elsewhere'")
    lanes._jobs_in_work = in_work
    assert (await server.finished(here))["status"] == "succeeded"
    assert row(server, elsewhere, "status, claims") == ("created", 0)
    assert len(engine.heard) == 1


@pytest.mark.parametrize("error", [StorageFull(), StoreBusy()])
async def test_a_store_that_cannot_be_written_delays_a_job_and_fails_none(
    server: Running, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(finish, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(job_run, "RETRY_SECONDS", 0.01)
    count, write = jobs.count_attempt, Finisher._write
    failures = {"count": 2, "write": 2}

    def fail(name: str) -> None:
        if failures[name]:
            failures[name] -= 1
            raise error

    async def count_attempt(*arguments: object) -> None:
        fail("count")
        await count(*arguments)  # type: ignore[arg-type]

    async def write_end(self: Finisher, *arguments: object) -> None:
        fail("write")
        await write(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(jobs, "count_attempt", count_attempt)
    monkeypatch.setattr(Finisher, "_write", write_end)
    job_id = await server.diarize(url=await server.upload(tone(1.0)))
    assert (await server.finished(job_id))["status"] == "succeeded"
    assert row(server, job_id, "attempts") == (1,)
    assert failures == {"count": 0, "write": 0}
