"""A delivery is tried at once, again at once, after a minute and after five; then it has failed."""

import asyncio
import json

import pytest

from onprem.config.quantities import Duration
from onprem.config.settings import Retention
from onprem.core.receipt import DeletionReason
from onprem.errors import StorageFull
from onprem.services import sender
from onprem.store import deliveries as rows
from tests.deliveries.conftest import Start
from tests.support.clock import FakeClock
from tests.support.deliveries import receipt_of, receipts, submitted, tried
from tests.support.engine import FakeEngine
from tests.support.receiver import Receiver
from tests.support.rows import change, row
from tests.support.server import Running


async def test_the_schedule_and_its_headers(
    server: Running, receiver: Receiver, clock: FakeClock
) -> None:
    receiver.otherwise = 500
    begun = clock.now()
    job_id = await submitted(server, webhook=receiver.url())
    (delivery,) = await tried(server, job_id, 2)
    assert delivery["state"] == "waiting"
    clock.advance(59)
    # What another job is told goes the same way, so that way is open.
    await submitted(server, webhook=receiver.url("/other"), webhookStatusOnly=True)
    await receiver.got(4)
    clock.advance(1)
    (delivery,) = await tried(server, job_id, 3)
    clock.advance(300)
    (delivery,) = await tried(server, job_id, 4)

    mine = [each for each in receiver.requests if each.target == "/hook"]
    assert [
        (each.headers.get("x-retry-num"), each.headers.get("x-retry-reason")) for each in mine
    ] == [(None, None), ("1", "http_error"), ("2", "http_error"), ("3", "http_error")]
    assert {each.headers["webhook-id"] for each in mine} == {delivery["id"]}
    times = [float(each.headers["webhook-timestamp"]) - begun for each in mine]
    assert times == [0, 0, 60, 360]
    assert {each.body for each in mine} == {mine[0].body}

    assert delivery["state"] == "failed" and "nextAttemptAt" not in delivery
    assert [(each["reason"], each["httpStatus"]) for each in delivery["attempts"]] == [
        ("http_error", 500)
    ] * 4
    assert await receipt_of(server, job_id, "destination") == "deliveries_ended"


async def test_one_retry_may_be_enough(server: Running, receiver: Receiver) -> None:
    receiver.answers = [503, 200]
    job_id = await submitted(server, webhook=receiver.url())
    await receiver.got(2)
    (delivery,) = await tried(server, job_id, 2)
    assert delivery["state"] == "delivered"
    assert [each.get("reason") for each in delivery["attempts"]] == ["http_error", None]


async def test_each_failure_has_its_name(server: Running, receiver: Receiver) -> None:
    receiver.answers = [(302, "/1"), (302, "/2"), (302, "/3"), (302, "http://10.0.0.1/")]
    job_id = await submitted(server, webhook=receiver.url())
    (delivery,) = await tried(server, job_id, 2)
    assert [each["reason"] for each in delivery["attempts"]] == [
        "too_many_redirects",
        "connection_failed",
    ]


async def test_what_was_deleted_is_not_told_by_a_retry(
    server: Running, receiver: Receiver, clock: FakeClock
) -> None:
    receiver.answers = [500, 500]
    job_id = await submitted(server, webhook=receiver.url())
    await tried(server, job_id, 2)
    (output,) = row(server, job_id, "output_id")
    artefacts = server.server.sender._artefacts
    await artefacts.delete([output], DeletionReason.REQUESTED, now=clock.now())
    clock.advance(60)
    (delivery,) = await tried(server, job_id, 3)
    assert "output" in json.loads(receiver.requests[1].body)
    assert json.loads(receiver.requests[2].body) == {"jobId": job_id, "status": "succeeded"}
    assert delivery["state"] == "delivered" and "sha256" not in delivery


async def test_an_output_past_its_deadline_is_not_told_by_a_retry(
    start: Start, receiver: Receiver, clock: FakeClock
) -> None:
    receiver.answers = [500, 500, 500]
    async with start(retention=Retention(output=Duration.parse("90s"))) as server:
        job_id = await submitted(server, webhook=receiver.url())
        await tried(server, job_id, 2)
        clock.advance(60)
        await tried(server, job_id, 3)
        clock.advance(300)
        await tried(server, job_id, 4)
    assert ["output" in json.loads(each.body) for each in receiver.requests] == [
        True,
        True,
        True,
        False,
    ]


async def test_a_destination_past_its_deadline_ends_the_delivery(
    server: Running, receiver: Receiver, clock: FakeClock
) -> None:
    receiver.answers = [500, 500]
    job_id = await submitted(server, webhook=receiver.url())
    await tried(server, job_id, 2)
    clock.advance(server.settings.retention.output)
    (delivery,) = await tried(server, job_id, 3)
    assert delivery["state"] == "failed" and len(delivery["attempts"]) == 2
    await server.server.sweep.run()
    assert (await receipts(server, job_id))["destination"] in ("deadline", "deliveries_ended")
    assert len(receiver.requests) == 2


async def test_the_digest_goes_with_the_output(
    server: Running, receiver: Receiver, clock: FakeClock
) -> None:
    job_id = await submitted(server, webhook=receiver.url())
    (delivery,) = await tried(server, job_id, 1)
    assert "sha256" in delivery
    clock.advance(server.settings.retention.output)
    await server.server.sweep.run()
    (delivery,) = await tried(server, job_id, 1)
    assert "sha256" not in delivery and delivery["bytes"] == len(receiver.requests[0].body)


async def test_a_try_that_cannot_be_noted_is_not_made_again(
    server: Running, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, full = rows.record, [True, True]

    async def sometimes_full(tx, delivery):  # type: ignore[no-untyped-def]
        if full:
            full.pop()
            raise StorageFull()
        await record(tx, delivery)

    monkeypatch.setattr(sender, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(rows, "record", sometimes_full)
    job_id = await submitted(server, webhook=receiver.url())
    (delivery,) = await tried(server, job_id, 1)
    assert delivery["state"] == "delivered" and not full
    assert len(receiver.requests) == 1


async def test_a_delivery_that_ends_while_others_are_looked_up_is_not_made_again(
    server: Running, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    due, record, looked_up = rows.due, rows.record, asyncio.Event()
    tries = server.server.sender._tries

    async def slow_due(database, now):  # type: ignore[no-untyped-def]
        found = await due(database, now)
        if found and tries and receiver.requests and not looked_up.is_set():
            looked_up.set()
            while tries:
                await asyncio.sleep(0)
        return found

    async def record_later(tx, delivery):  # type: ignore[no-untyped-def]
        await looked_up.wait()
        await record(tx, delivery)

    async def keep(self: sender.Sender, job_id: str) -> None:
        """As if the job had another delivery, which still needs it."""

    monkeypatch.setattr(sender.Sender, "_forget_destination", keep)
    monkeypatch.setattr(rows, "due", slow_due)
    monkeypatch.setattr(rows, "record", record_later)
    job_id = await submitted(server, webhook=receiver.url("/once"))
    await tried(server, job_id, 1)
    other = await submitted(server, webhook=receiver.url("/other"))
    await tried(server, other, 1)
    (delivery,) = await tried(server, job_id, 1)
    assert delivery["state"] == "delivered"
    assert [request.target for request in receiver.requests] == ["/once", "/other"]


async def test_a_try_that_a_stop_broke_off_is_made_again_under_the_same_id(
    start: Start, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "STOP_SECONDS", 0.01)
    receiver.otherwise = None
    async with start() as server:
        job_id = await submitted(server, webhook=receiver.url())
        await receiver.got(1)
    receiver.otherwise = 204
    async with start() as server:
        await receiver.got(2)
        (delivery,) = await tried(server, job_id, 1)
    first, second = receiver.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == delivery["id"]
    assert first.body == second.body and "x-retry-num" not in second.headers
    assert [each.get("reason") for each in delivery["attempts"]] == [None]


async def test_a_retry_that_fell_due_while_the_server_was_off_is_made_at_its_start(
    start: Start, receiver: Receiver, clock: FakeClock
) -> None:
    receiver.answers = [500, 500]
    async with start() as server:
        job_id = await submitted(server, webhook=receiver.url())
        await tried(server, job_id, 2)
    clock.advance(3600)
    async with start() as server:
        await receiver.got(3)
        (delivery,) = await tried(server, job_id, 3)
    assert receiver.requests[2].headers["x-retry-num"] == "2"
    assert delivery["state"] == "delivered"


async def test_a_job_that_ended_in_a_recovery_is_told(
    start: Start, receiver: Receiver, engine: FakeEngine
) -> None:

    engine.gate.clear()
    async with start() as server:
        job_id = await submitted(server, webhook=receiver.url())
    change(server, job_id, "status = 'running', attempts = 3, claims = 3")
    async with start() as server:
        (request,) = await receiver.got(1)
        assert (await server.finished(job_id))["status"] == "failed"
    assert json.loads(request.body) == {"jobId": job_id, "status": "failed"}


async def test_a_crash_between_the_last_try_and_the_destination_s_end_is_mended(
    server: Running, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def crash(self: sender.Sender, job_id: str) -> None:
        pass

    monkeypatch.setattr(sender.Sender, "_forget_destination", crash)
    job_id = await submitted(server, webhook=receiver.url())
    await tried(server, job_id, 1)
    assert "destination" not in await receipts(server, job_id)
    await server.server.sweep.run()
    assert (await receipts(server, job_id))["destination"] == "deliveries_ended"
