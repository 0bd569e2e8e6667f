"""Canceling and deleting jobs over HTTP."""

import asyncio

import pytest

from onprem.services.keys import Scope
from tests.support.audio import tone
from tests.support.clock import FakeClock
from tests.support.engine import FakeEngine
from tests.support.rows import receipted, row
from tests.support.server import Running


async def computing(server: Running, engine: FakeEngine) -> str:
    engine.gate.clear()
    engine.deaf = True  # so that a run goes on until a test opens the gate
    job_id = await server.diarize(url=await server.upload(tone(1.0)))
    await asyncio.to_thread(engine.started.wait)
    return job_id


async def succeeded(server: Running) -> str:
    job_id = await server.diarize(url=await server.upload(tone(1.0)))
    assert (await server.finished(job_id))["status"] == "succeeded"
    return job_id


async def kinds(server: Running, job_id: str) -> list[tuple[str, str]]:
    answer = await server.client.get(f"/v1/jobs/{job_id}/receipts")
    assert answer.status_code == 200, answer.text
    return [(each["kind"], each["reason"]) for each in answer.json()["receipts"]]


async def gone(server: Running, job_id: str) -> None:
    """Returns once the job is unknown."""
    async with asyncio.timeout(20):
        while (await server.client.get(f"/v1/jobs/{job_id}")).status_code != 404:
            await asyncio.sleep(0.02)


async def test_a_computing_job_is_canceled_at_once_and_stops_later(
    server: Running, engine: FakeEngine
) -> None:
    job_id = await computing(server, engine)
    answer = await server.client.post(f"/v1/jobs/{job_id}/cancel")
    assert answer.status_code == 200
    body = answer.json()
    assert (body["jobId"], body["status"], body["stopping"]) == (job_id, "canceled", True)
    assert "output" not in body and "progress" not in body
    assert await kinds(server, job_id) == [("request", "job_ended")]

    # The run ends with a result, which is nobody's any more.
    engine.gate.set()
    async with asyncio.timeout(20):
        while (await server.job(job_id)).get("stopping"):
            await asyncio.sleep(0.02)
    assert (await server.job(job_id))["status"] == "canceled"
    assert "output" not in await server.job(job_id)
    assert await kinds(server, job_id) == [("request", "job_ended"), ("worker_copy", "job_ended")]


async def test_a_waiting_job_is_canceled_and_never_runs(
    server: Running, engine: FakeEngine
) -> None:
    await computing(server, engine)
    waiting = [await server.diarize(url="media://a.wav") for _ in range(4)]
    answer = await server.client.post(f"/v1/jobs/{waiting[-1]}/cancel")
    assert answer.json()["status"] == "canceled"
    assert "stopping" not in answer.json()
    engine.gate.set()
    for job_id in waiting[:-1]:
        assert (await server.finished(job_id))["status"] == "succeeded"
    assert row(server, waiting[-1], "status, claims") == ("canceled", 0)


async def test_canceling_again_changes_nothing(server: Running, engine: FakeEngine) -> None:
    job_id = await computing(server, engine)
    first = (await server.client.post(f"/v1/jobs/{job_id}/cancel")).json()
    again = await server.client.post(f"/v1/jobs/{job_id}/cancel")
    assert (again.status_code, again.json()) == (200, first)
    engine.gate.set()


@pytest.mark.parametrize("raised", [None, ValueError()])
async def test_a_job_that_has_ended_cannot_be_canceled(
    server: Running, engine: FakeEngine, raised: Exception | None
) -> None:
    engine.raises = raised
    job_id = await server.diarize(url=await server.upload(tone(1.0)))
    before = await server.finished(job_id)
    answer = await server.client.post(f"/v1/jobs/{job_id}/cancel")
    assert (answer.status_code, answer.json()["code"]) == (409, "job_finished")
    assert await server.job(job_id) == before


async def test_a_deleted_output_is_gone_and_its_receipts_remain(server: Running) -> None:
    job_id = await succeeded(server)
    (output,) = row(server, job_id, "hex(output_id)")
    answer = await server.client.delete(f"/v1/jobs/{job_id}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert receipted(server, output.lower())
    for path in ("", "/output", "/events"):
        answer = await server.client.get(f"/v1/jobs/{job_id}{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert (await server.client.post(f"/v1/jobs/{job_id}/cancel")).status_code == 404
    assert ("output", "requested") in await kinds(server, job_id)


async def test_a_waiting_job_is_deleted_with_its_request(
    server: Running, engine: FakeEngine
) -> None:
    await computing(server, engine)
    waiting = [await server.diarize(url="media://a.wav") for _ in range(4)]
    assert (await server.client.delete(f"/v1/jobs/{waiting[-1]}")).status_code == 204
    assert await kinds(server, waiting[-1]) == [("request", "requested")]
    assert row(server, waiting[-1], "status") == ("canceled",)
    engine.gate.set()


async def test_a_computing_job_is_deleted_when_its_run_has_stopped(
    server: Running, engine: FakeEngine
) -> None:
    job_id = await computing(server, engine)
    answer = await server.client.delete(f"/v1/jobs/{job_id}")
    assert answer.status_code == 202
    assert (answer.json()["status"], answer.json()["stopping"]) == ("canceled", True)
    assert (await server.client.delete(f"/v1/jobs/{job_id}")).status_code == 202
    assert (await server.job(job_id))["stopping"] is True
    assert (await server.client.get("/v2/jobs")).json()["items"] == []

    engine.gate.set()
    await gone(server, job_id)
    assert await kinds(server, job_id) == [("request", "requested"), ("worker_copy", "job_ended")]


async def test_deleting_again_changes_nothing(server: Running) -> None:
    job_id = await succeeded(server)
    for _ in range(2):
        assert (await server.client.delete(f"/v1/jobs/{job_id}")).status_code == 204
    assert len(await kinds(server, job_id)) == 3


async def test_what_resisted_a_deletion_goes_with_the_next_sweep(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = await succeeded(server)
    artefacts = server.server.use.jobs._artefacts

    async def resists(*_: object, **__: object) -> None:
        raise OSError

    with monkeypatch.context() as patch:
        patch.setattr(type(artefacts), "delete", resists)
        assert (await server.client.delete(f"/v1/jobs/{job_id}")).status_code == 500
    assert (await server.client.get(f"/v1/jobs/{job_id}")).status_code == 404
    await server.server.sweep.run()
    assert ("output", "requested") in await kinds(server, job_id)


async def test_receipts_outlive_the_tombstone(server: Running, clock: FakeClock) -> None:
    job_id = await succeeded(server)
    clock.advance(31 * 24 * 3600)
    await server.server.sweep.run()
    assert (await server.client.get(f"/v1/jobs/{job_id}")).status_code == 404
    assert (await server.client.delete(f"/v1/jobs/{job_id}")).status_code == 404
    assert len(await kinds(server, job_id)) == 3


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/v1/jobs/{}/cancel"), ("DELETE", "/v1/jobs/{}")]
)
async def test_only_the_owner_with_jobs_write_ends_a_job(
    server: Running, engine: FakeEngine, method: str, path: str
) -> None:
    job_id = await computing(server, engine)
    await server.create_project("other")
    for key, status in (
        (await server.key("other"), 404),
        (await server.key(scopes=[Scope.JOBS_READ]), 403),
    ):
        headers = {"authorization": f"Bearer {key}"}
        answer = await server.client.request(method, path.format(job_id), headers=headers)
        assert answer.status_code == status
    answer = await server.client.get(
        f"/v1/jobs/{job_id}/receipts",
        headers={"authorization": f"Bearer {await server.key('other')}"},
    )
    assert answer.status_code == 404
    assert (await server.job(job_id))["status"] == "running"
    answer = await server.client.request(method, path.format("unknown"))
    assert answer.status_code == 404
    engine.gate.set()
    assert (await server.finished(job_id))["status"] == "succeeded"
