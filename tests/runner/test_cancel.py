"""A cancel asked for by another process reaches a job wherever it is."""

import asyncio

import pytest

from onprem.core.cancel import CancelReason
from onprem.media.decode import Decoded, decode
from onprem.runner import source
from onprem.runner.finish import Finisher
from onprem.runner.job_run import ActiveRun
from onprem.store import jobs, queue
from onprem.store.queue import Places
from tests.support.audio import tone
from tests.support.engine import FakeEngine
from tests.support.rows import cancel_elsewhere, row
from tests.support.server import Running

ROOM = Places(short=600, for_long=True, for_others=True)


async def claimed_by_hand(server: Running) -> ActiveRun:
    """A claimed job whose task has not been made; the loop claims nothing any more."""
    loop = server.server.runner
    loop._lanes._jobs_in_work = 0
    await server.diarize(url=await server.upload(tone(1.0)))
    async with loop._database.write() as tx:
        job = await queue.claim_next(tx, regions=["any"], places=ROOM, now=loop._clock.now())
        assert job is not None
        copy = await loop._artefacts.note_worker_copy(
            tx, project_id=job.project_id, job_id=job.id, now=loop._clock.now()
        )
    return ActiveRun(job, copy)


async def stopped(server: Running, job_id: str) -> dict[str, object]:
    """The job once it is terminal and its run has ended."""
    async with asyncio.timeout(20):
        while (await server.finished(job_id)).get("stopping"):
            await asyncio.sleep(0.02)
    return await server.job(job_id)


async def assert_canceled_without_a_trace(server: Running, job_id: str) -> None:
    job = await stopped(server, job_id)
    assert job["status"] == "canceled"
    assert "output" not in job
    receipts = (await server.client.get(f"/v1/jobs/{job_id}/receipts")).json()["receipts"]
    assert {each["kind"] for each in receipts} == {"worker_copy", "request"}


async def test_a_job_that_prepares_is_canceled(
    server: Running, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    preparing = asyncio.Event()

    async def endless(*_: object, **__: object) -> Decoded:
        preparing.set()
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(source, "decode", endless)
    job_id = await server.diarize(url=await server.upload(tone(1.0)))
    await preparing.wait()
    await cancel_elsewhere(server, job_id)

    await assert_canceled_without_a_trace(server, job_id)
    assert engine.heard == []
    assert server.server.runner._runner._source._memory.in_use == 0


async def test_a_job_that_waits_for_the_accelerator_is_canceled(
    server: Running, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded = asyncio.Semaphore(0)

    async def counted(*arguments: object, **options: object) -> Decoded:
        result = await decode(*arguments, **options)  # type: ignore[arg-type]
        decoded.release()
        return result

    monkeypatch.setattr(source, "decode", counted)
    engine.gate.clear()
    url = await server.upload(tone(1.0))
    computing = await server.diarize(url=url)
    await asyncio.to_thread(engine.started.wait)
    await decoded.acquire()
    waiting = await server.diarize(url=url)
    await decoded.acquire()
    await cancel_elsewhere(server, waiting)

    await assert_canceled_without_a_trace(server, waiting)
    assert (await server.job(computing))["status"] == "running"
    engine.gate.set()
    assert (await server.finished(computing))["status"] == "succeeded"
    assert len(engine.heard) == 1
    assert row(server, waiting, "attempts") == (0,)


async def test_a_job_that_computes_is_canceled_at_its_next_cancel_point(
    server: Running, engine: FakeEngine
) -> None:
    engine.gate.clear()
    job_id = await server.diarize(url=await server.upload(tone(1.0)))
    await asyncio.to_thread(engine.started.wait)
    await cancel_elsewhere(server, job_id)

    await assert_canceled_without_a_trace(server, job_id)
    assert row(server, job_id, "attempts") == (1,)


async def test_a_cancel_that_the_engine_did_not_notice_still_discards_the_output(
    server: Running, engine: FakeEngine
) -> None:
    run = await claimed_by_hand(server)
    await cancel_elsewhere(server, run.job.id)
    assert (await server.job(run.job.id))["stopping"]
    await server.server.runner._runner.run(run)
    await assert_canceled_without_a_trace(server, run.job.id)


@pytest.mark.parametrize(
    ("reason", "status"), [(CancelReason.USER, "canceled"), (CancelReason.SHUTDOWN, "pending")]
)
async def test_a_stop_before_the_task_has_begun_is_not_lost(
    server: Running, reason: CancelReason, status: str
) -> None:
    run = await claimed_by_hand(server)
    if reason is CancelReason.USER:
        await cancel_elsewhere(server, run.job.id)
    run.task = asyncio.create_task(server.server.runner._runner.run(run))
    run.stop(reason)
    await run.task
    assert row(server, run.job.id, "status, attempts") == (status, 0)
    assert "stopping" not in await server.job(run.job.id)


@pytest.mark.parametrize("reason", CancelReason)
async def test_a_stop_while_the_end_is_written_does_not_lose_the_end(
    server: Running, monkeypatch: pytest.MonkeyPatch, reason: CancelReason
) -> None:
    ending, go_on = asyncio.Event(), asyncio.Event()
    write = Finisher._write

    async def slow(self: Finisher, *arguments: object) -> None:
        ending.set()
        await go_on.wait()
        await write(self, *arguments)  # type: ignore[arg-type]

    run = await claimed_by_hand(server)
    # It fails before it computes, when a cancel would still be at once.
    run.job = jobs.msgspec.structs.replace(run.job, media_id=b"gone")
    monkeypatch.setattr(Finisher, "_write", slow)
    run.task = asyncio.create_task(server.server.runner._runner.run(run))
    await ending.wait()
    run.stop(reason)
    go_on.set()
    await run.task
    assert row(server, run.job.id, "status, error_code") == ("failed", "media_expired")
