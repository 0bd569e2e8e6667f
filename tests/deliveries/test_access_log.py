"""Content that the server sends by itself is in the access log, as read by the server."""

from collections.abc import Callable
from typing import Any

import pytest

from onprem.errors import EngineFailed, StoreBusy
from onprem.services import sender
from onprem.services.access import AccessLog
from tests.support.deliveries import submitted, tried
from tests.support.engine import FakeEngine
from tests.support.entries import accesses
from tests.support.receiver import Receiver
from tests.support.server import Running


def sent(server: Running, job_id: str) -> list[str]:
    """By what way, for each entry of the server's own."""
    mine = [entry for entry in accesses(server) if entry["who"] == "server"]
    assert all(entry["jobId"] == job_id and entry["what"] == "output" for entry in mine)
    assert all(len(bytes.fromhex(entry["artefactId"])) == 16 for entry in mine)
    return sorted(entry["means"] for entry in mine)


async def test_a_webhook_and_an_upload_are_an_entry_each(
    server: Running, receiver: Receiver
) -> None:
    deliver = {"url": receiver.url("/put"), "format": "rttm"}
    job_id = await submitted(server, webhook=receiver.url(), deliver=deliver)
    await tried(server, job_id, 1)
    assert sent(server, job_id) == ["deliver", "webhook"]


async def test_each_try_is_an_entry(server: Running, receiver: Receiver) -> None:
    receiver.answers = [500, 204]
    job_id = await submitted(server, webhook=receiver.url())
    await receiver.got(2)
    await tried(server, job_id, 2)
    assert sent(server, job_id) == ["webhook", "webhook"]


def failing(engine: FakeEngine) -> dict[str, Any]:
    engine.raises = EngineFailed(kind="test")
    return {}


@pytest.mark.parametrize("made", [lambda _: {"webhookStatusOnly": True}, failing])
async def test_a_webhook_without_the_output_is_none(
    server: Running,
    receiver: Receiver,
    engine: FakeEngine,
    made: Callable[[FakeEngine], dict[str, Any]],
) -> None:
    job_id = await submitted(server, webhook=receiver.url(), **made(engine))
    await tried(server, job_id, 1)
    assert b'"output"' not in receiver.requests[0].body
    assert sent(server, job_id) == []


async def test_what_cannot_be_noted_waits(
    server: Running, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "RETRY_SECONDS", 0.01)
    admit, failed = AccessLog.admit, list[int]()

    async def busy_twice(log: AccessLog, *arguments: Any) -> bool:
        if len(failed) < 2:
            failed.append(len(receiver.requests))
            raise StoreBusy()
        return await admit(log, *arguments)

    monkeypatch.setattr(AccessLog, "admit", busy_twice)
    job_id = await submitted(server, webhook=receiver.url())
    (delivery,) = await tried(server, job_id, 1)
    assert (delivery["state"], len(delivery["attempts"])) == ("delivered", 1)
    assert failed == [0, 0]
    assert sent(server, job_id) == ["webhook"]


async def test_what_was_deleted_since_it_was_packed_is_not_sent(
    server: Running, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    admit = AccessLog.admit

    async def late(log: AccessLog, reader: Any, records: Any) -> bool:
        async with log._database.write() as tx:
            await tx.execute("UPDATE artefact SET due_at = 0 WHERE kind = 'output'")
        return await admit(log, reader, records)

    monkeypatch.setattr(AccessLog, "admit", late)
    job_id = await submitted(server, webhook=receiver.url())
    await tried(server, job_id, 1)
    (request,) = receiver.requests
    assert b'"output"' not in request.body
    assert sent(server, job_id) == []
