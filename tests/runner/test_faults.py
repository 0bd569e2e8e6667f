"""Faults of ours: they are told to the operator, and never cost a job."""

import asyncio
import logging

import pytest

from onprem.errors import ModelDamaged
from onprem.runner import job_run
from tests.runner.conftest import Start
from tests.support.audio import tone
from tests.support.clock import FakeClock
from tests.support.engine import FakeEngine
from tests.support.rows import row
from tests.support.server import Running


async def computing(server: Running, engine: FakeEngine) -> str:
    engine.gate.clear()
    job_id = await server.diarize(url=await server.upload(tone(1.0)))
    await asyncio.to_thread(engine.started.wait)
    return job_id


async def test_a_damaged_model_is_named_in_the_log_and_not_to_the_client(
    server: Running, engine: FakeEngine, caplog: pytest.LogCaptureFixture
) -> None:
    engine.raises = ModelDamaged(model="whisper-base", file="model.bin")
    job_id = await server.diarize(url=await server.upload(tone(1.0)))
    job = await server.finished(job_id)
    assert row(server, job_id, "error_code") == ("model_unusable",)
    assert "model.bin" in caplog.text
    output = job["output"]
    assert isinstance(output, dict) and "model.bin" not in output["error"]


async def test_a_job_put_back_by_a_stop_has_its_whole_time_to_start_again(
    start: Start, engine: FakeEngine, clock: FakeClock
) -> None:
    async with start() as server:
        job_id = await computing(server, engine)
        clock.advance(23 * 3600)
    clock.advance(2 * 3600)
    engine.gate.set()
    async with start() as server:
        assert (await server.finished(job_id))["status"] == "succeeded"


async def test_a_lost_run_ends_the_runner_and_the_next_start_finds_the_job(
    start: Start,
    engine: FakeEngine,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise SystemError("a fault of ours")

    caplog.set_level(logging.INFO)
    with pytest.raises(SystemError, match="a fault of ours"):
        async with start() as server:
            job_id = await computing(server, engine)
            with monkeypatch.context() as patched:
                patched.setattr(job_run.Finisher, "finish", broken)
                engine.gate.set()
                async with asyncio.timeout(5):
                    while server.server.runner.ready:
                        await asyncio.sleep(0.01)
    assert f"job {job_id} was lost by a fault: SystemError" in caplog.text

    async with start() as server:
        assert (await server.finished(job_id))["status"] == "succeeded"
