"""A stop puts jobs back, and the next start finishes them."""

import asyncio

import pytest

from onprem.config.settings import Runner
from onprem.errors import StorageFull
from onprem.runner.finish import Finisher
from onprem.wiring import assembled
from tests.runner.conftest import Start
from tests.support.audio import tone
from tests.support.clock import FakeClock
from tests.support.engine import FakeEngine
from tests.support.rows import change, note_worker_copy, receipted, row
from tests.support.server import Running


async def computing(server: Running, engine: FakeEngine) -> str:
    """A job that the engine works on until a test opens the gate."""
    engine.gate.clear()
    job_id = await server.diarize(url=await server.upload(tone(1.0)))
    await asyncio.to_thread(engine.started.wait)
    return job_id


async def test_a_stop_puts_the_computing_job_back_and_the_next_start_finishes_it(
    start: Start, engine: FakeEngine
) -> None:
    async with start() as server:
        job_id = await computing(server, engine)
        waiting = await server.diarize(url="media://a.wav")
    assert row(server, job_id, "status, attempts, claims") == ("pending", 0, 0)
    assert row(server, waiting, "attempts") == (0,)

    engine.gate.set()
    async with start() as server:
        for each in (job_id, waiting):
            assert (await server.finished(each))["status"] == "succeeded"
        assert row(server, job_id, "attempts, claims") == (1, 1)
        receipts = (await server.client.get(f"/v1/jobs/{job_id}/receipts")).json()["receipts"]
    assert [(each["kind"], each["reason"]) for each in receipts] == [
        ("worker_copy", "interrupted"),
        ("worker_copy", "job_ended"),
        ("request", "job_ended"),
    ]


async def test_any_number_of_stops_is_forgiven(start: Start, engine: FakeEngine) -> None:
    async with start() as server:
        job_id = await computing(server, engine)
    for _ in range(4):
        engine.started.clear()
        async with start() as server:
            await asyncio.to_thread(engine.started.wait)
    assert row(server, job_id, "status, attempts, claims") == ("pending", 0, 0)


async def test_a_job_that_took_the_server_down_too_often_is_given_up(
    start: Start, engine: FakeEngine
) -> None:
    async with start() as server:
        job_id = await computing(server, engine)
    # As a crash leaves it after its third attempt.
    change(server, job_id, "status = 'running', attempts = 3, claims = 3")
    engine.gate.set()
    async with start() as server:
        job = await server.finished(job_id)
        assert row(server, job_id, "status, error_code") == ("failed", "worker_lost")
    output = job["output"]
    assert isinstance(output, dict) and "stopped 3 times" in output["error"]
    assert len(engine.heard) == 1


async def test_a_job_that_only_stood_beside_a_crash_runs_again(
    start: Start, engine: FakeEngine
) -> None:
    async with start() as server:
        job_id = await computing(server, engine)
    change(server, job_id, "status = 'running', attempts = 0, claims = 9")
    engine.gate.set()
    async with start() as server:
        assert (await server.finished(job_id))["status"] == "succeeded"


async def test_jobs_are_claimed_in_the_order_of_submission(
    start: Start, engine: FakeEngine
) -> None:
    # With one in work, none can be decoded sooner than an earlier one.
    async with start(runner=Runner(jobs_in_work=1)) as server:
        await computing(server, engine)
        lengths = [1.5, 1.2, 1.8]
        ids = []
        for number, seconds in enumerate(lengths):
            url = await server.upload(tone(seconds), f"media://{number}.wav")
            ids.append(await server.diarize(url=url))
        engine.gate.set()
        for job_id in ids:
            await server.finished(job_id)
    assert [samples for _, samples in engine.heard[1:]] == [int(16_000 * each) for each in lengths]


async def test_a_start_on_a_full_disk_deletes_what_is_due_and_loses_no_job(
    start: Start, engine: FakeEngine, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise StorageFull()

    async with start() as server:
        ended = await server.diarize(url=await server.upload(tone(1.0)))
        await server.finished(ended)
        lost = await computing(server, engine)
    change(server, lost, "status = 'running', attempts = 3, claims = 3")
    clock.advance(24 * 3600)
    with monkeypatch.context() as patch:
        patch.setattr(Finisher, "_write", full)
        with pytest.raises(StorageFull):
            async with assembled(server.settings, engine, clock):
                pass
    (output,) = row(server, ended, "hex(output_id)")
    assert receipted(server, output.lower())

    engine.gate.set()
    async with start() as server:
        assert row(server, lost, "status, error_code") == ("failed", "worker_lost")


@pytest.mark.parametrize("deleted", [False, True])
async def test_a_canceled_job_whose_run_a_crash_ended_has_its_receipt_after_the_start(
    start: Start, engine: FakeEngine, deleted: bool
) -> None:
    async with start() as server:
        job_id = await computing(server, engine)
    # As it is while its run stops: canceled, and with its worker copy.
    end = "status = 'canceled', finished_at = 1800000000, claims = 1"
    change(server, job_id, end + (", deleted_at = 1800000000" if deleted else ""))
    copy = bytes(range(16))
    note_worker_copy(server, job_id, copy)
    engine.gate.set()
    async with start() as server:
        await server.server.sweep.run()
        answer = await server.client.get(f"/v1/jobs/{job_id}/receipts")
        found = [
            (each["kind"], each["reason"])
            for each in answer.json()["receipts"]
            if each["artefactId"] == copy.hex()
        ]
        assert found == [("worker_copy", "crash")]
        state = await server.client.get(f"/v1/jobs/{job_id}")
        if deleted:
            assert state.status_code == 404
        else:
            assert state.json()["status"] == "canceled" and "stopping" not in state.json()
    assert len(engine.heard) == 1
