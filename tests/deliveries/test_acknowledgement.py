"""`ack`: the owner's word that the output has arrived."""

from tests.support.clock import FakeClock
from tests.support.deliveries import submitted
from tests.support.engine import FakeEngine
from tests.support.server import Running


async def test_the_first_time_counts(server: Running, clock: FakeClock) -> None:
    job_id = await submitted(server)
    job = await server.finished(job_id)
    assert "acknowledgedAt" not in job
    first = await server.client.post(f"/v1/jobs/{job_id}/ack")
    clock.advance(60)
    again = await server.client.post(f"/v1/jobs/{job_id}/ack")
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    assert (await server.job(job_id))["acknowledgedAt"] == first.json()["acknowledgedAt"]
    assert (await server.job(job_id))["updatedAt"] == job["updatedAt"]


async def test_there_is_nothing_to_acknowledge_before_the_end(
    server: Running, engine: FakeEngine
) -> None:
    engine.gate.clear()
    job_id = await submitted(server)
    answer = await server.client.post(f"/v1/jobs/{job_id}/ack")
    assert (answer.status_code, answer.json()["code"]) == (409, "output_not_ready")
    engine.gate.set()
