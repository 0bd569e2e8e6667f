"""`outputRetention: 0`: the output goes a minute after its owner has it, and not before."""

from typing import Any

import pytest

from onprem.config.settings import Retention, Webhooks
from tests.deliveries.conftest import Start
from tests.support.clock import FakeClock
from tests.support.deliveries import receipts, submitted, tried
from tests.support.engine import FakeEngine
from tests.support.receiver import Receiver
from tests.support.server import Running

DAY = 24 * 3600


async def readable(server: Running, job_id: str) -> bool:
    return "output" in await server.job(job_id)


async def assert_goes_in_a_minute(server: Running, clock: FakeClock, job_id: str) -> None:
    clock.advance(59)
    assert await readable(server, job_id)
    clock.advance(1)
    assert not await readable(server, job_id)
    assert (await server.job(job_id))["outputExpiredAt"]
    await server.server.sweep.run()
    assert (await receipts(server, job_id))["output"] == "deadline"


async def assert_stays_until_the_ceiling(server: Running, clock: FakeClock, job_id: str) -> None:
    clock.advance(DAY - 1)
    assert await readable(server, job_id)
    clock.advance(1)
    assert not await readable(server, job_id)


async def ended(server: Running, **body: object) -> str:
    job_id = await submitted(server, **body)
    assert (await server.finished(job_id))["status"] == "succeeded"
    return job_id


@pytest.mark.parametrize("how", ["webhook", "deliver"])
async def test_what_carried_the_output_releases_it(
    server: Running, clock: FakeClock, receiver: Receiver, how: str
) -> None:
    body: dict[str, Any] = {"webhook": receiver.url()}
    if how == "deliver":
        body = {"deliver": {"url": receiver.url("/out")}}
    job_id = await ended(server, outputRetention=0, **body)
    await tried(server, job_id, 1)
    await assert_goes_in_a_minute(server, clock, job_id)


async def test_its_owners_word_releases_it(server: Running, clock: FakeClock) -> None:
    job_id = await ended(server, outputRetention=0)
    assert (await server.client.post(f"/v1/jobs/{job_id}/ack")).status_code == 200
    await assert_goes_in_a_minute(server, clock, job_id)


async def test_the_first_word_counts(server: Running, clock: FakeClock) -> None:
    job_id = await ended(server, outputRetention=0)
    await server.client.post(f"/v1/jobs/{job_id}/ack")
    clock.advance(59)
    await server.client.post(f"/v1/jobs/{job_id}/ack")
    clock.advance(1)
    assert not await readable(server, job_id)


async def test_reading_it_does_not(server: Running, clock: FakeClock) -> None:
    job_id = await ended(server, outputRetention=0)
    assert (await server.client.get(f"/v1/jobs/{job_id}/output")).status_code == 200
    await assert_stays_until_the_ceiling(server, clock, job_id)


async def test_a_webhook_without_the_output_does_not(
    server: Running, clock: FakeClock, receiver: Receiver
) -> None:
    job_id = await ended(server, outputRetention=0, webhook=receiver.url(), webhookStatusOnly=True)
    (delivery,) = await tried(server, job_id, 1)
    assert delivery["state"] == "delivered"
    await assert_stays_until_the_ceiling(server, clock, job_id)


async def test_a_delivery_that_failed_for_good_does_not(
    server: Running, clock: FakeClock, receiver: Receiver
) -> None:
    receiver.otherwise = 410
    job_id = await ended(server, outputRetention=0, webhook=receiver.url())
    begun = clock.now()
    for attempts in range(1, 20):
        (delivery,) = await tried(server, job_id, attempts)
        if delivery["state"] == "failed":
            break
        clock.advance(3600)
    assert delivery["state"] == "failed"
    clock.advance(DAY - 1 - (clock.now() - begun))
    assert await readable(server, job_id)


async def test_where_nobody_asked_for_it_a_delivery_changes_nothing(
    server: Running, clock: FakeClock, receiver: Receiver
) -> None:
    job_id = await ended(server, webhook=receiver.url())
    await tried(server, job_id, 1)
    await server.client.post(f"/v1/jobs/{job_id}/ack")
    await assert_stays_until_the_ceiling(server, clock, job_id)


async def test_edits_go_with_it(server: Running, clock: FakeClock, receiver: Receiver) -> None:
    job_id = await ended(server, outputRetention=0, webhook=receiver.url())
    before = await put_edits(server, job_id)
    assert before == 200
    await server.client.post(f"/v1/jobs/{job_id}/ack")
    await tried(server, job_id, 1)
    assert await put_edits(server, job_id) == 200  # those that come later too
    clock.advance(60)
    assert (await server.client.get(f"/v1/jobs/{job_id}/edits")).status_code == 410
    await server.server.sweep.run()
    assert (await receipts(server, job_id))["edits"] == "deadline"


async def put_edits(server: Running, job_id: str) -> int:
    names = {"speakers": {"SPEAKER_00": "Mallory"}}
    return (await server.client.put(f"/v1/jobs/{job_id}/edits", json=names)).status_code


async def test_edits_from_before_the_delivery_go_with_it_too(
    server: Running, clock: FakeClock
) -> None:
    job_id = await ended(server, outputRetention=0)
    assert await put_edits(server, job_id) == 200
    await server.client.post(f"/v1/jobs/{job_id}/ack")
    clock.advance(60)
    await server.server.sweep.run()
    assert {"output", "edits"} <= set(await receipts(server, job_id))


async def test_of_two_deliveries_both_have_to_end(
    server: Running, clock: FakeClock, receiver: Receiver
) -> None:
    receiver.answers = [204, 500, 500]  # one of them arrives at once
    job_id = await ended(
        server,
        outputRetention=0,
        webhook=receiver.url(),
        deliver={"url": receiver.url("/out")},
    )
    found = await tried(server, job_id, 2)
    assert sorted(each["state"] for each in found) == ["delivered", "waiting"]
    await server.client.post(f"/v1/jobs/{job_id}/ack")  # nor does that release it
    clock.advance(60)
    found = await tried(server, job_id, 3)
    assert {each["state"] for each in found} == {"delivered"}
    await assert_goes_in_a_minute(server, clock, job_id)


async def test_a_time_of_the_job_still_ends_what_was_not_delivered(
    server: Running, clock: FakeClock
) -> None:
    """Where the project asks for 0 and the job for an hour, both hold."""
    answer = await server.client.patch("/v1/admin/projects/default", json={"outputRetention": 0})
    assert answer.status_code == 200
    job_id = await ended(server, outputRetention=3600)
    clock.advance(3600)
    assert not await readable(server, job_id)


@pytest.mark.parametrize("delivered", [True, False])
async def test_the_operator_can_ask_for_it_of_all(
    start: Start, clock: FakeClock, engine: FakeEngine, delivered: bool
) -> None:
    async with start(retention=Retention(output=0), webhooks=Webhooks()) as server:
        job_id = await ended(server)
        if delivered:
            await server.client.post(f"/v1/jobs/{job_id}/ack")
            await assert_goes_in_a_minute(server, clock, job_id)
        else:
            await assert_stays_until_the_ceiling(server, clock, job_id)
