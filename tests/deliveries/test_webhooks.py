"""What a receiver gets, and that it can prove where it comes from."""

import asyncio
import hashlib
import hmac
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from onprem import __version__
from onprem.config.settings import Webhooks
from onprem.core.webhook_signature import secret_text
from onprem.errors import EngineFailed
from tests.deliveries.conftest import Start
from tests.support.clock import FakeClock
from tests.support.deliveries import deliveries, receipt_of, submitted, tried
from tests.support.engine import FakeEngine
from tests.support.receiver import Receiver, Request, receiving
from tests.support.server import Running


async def secret(server: Running) -> str:
    answer = await server.client.get("/v1/admin/webhook-secrets?project=default")
    assert answer.status_code == 200, answer.text
    return str(answer.json()["secrets"][0]["secret"])


def verified(request: Request, secret: str) -> dict[str, Any]:
    """The body, by the unmodified library and by the sample of the pyannoteAI documentation."""
    body: dict[str, Any] = Webhook(secret).verify(request.body, request.headers)
    signed = f"v0:{request.headers['x-request-timestamp']}:{request.body.decode()}"
    digest = hmac.new(secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
    assert hmac.compare_digest(digest, request.headers["x-signature"])
    return body


async def test_a_result_arrives_signed_and_its_destination_is_forgotten(
    server: Running, receiver: Receiver
) -> None:
    job_id = await submitted(server, webhook=receiver.url("/in?token=1"))
    job = await server.finished(job_id)
    (request,) = await receiver.got(1)
    body = verified(request, await secret(server))

    assert body == {"jobId": job_id, "status": "succeeded", "output": job["output"]}
    assert (request.method, request.target) == ("POST", "/in?token=1")
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"] == f"onprem/{__version__}"
    assert not [name for name in request.headers if name.startswith("x-retry")]

    (delivery,) = await tried(server, job_id, 1)
    assert delivery["id"] == request.headers["webhook-id"]
    assert delivery["kind"] == "webhook" and delivery["state"] == "delivered"
    assert [each["httpStatus"] for each in delivery["attempts"]] == [204]
    assert delivery["bytes"] == len(request.body)
    assert delivery["sha256"] == hashlib.sha256(request.body).hexdigest()
    assert "nextAttemptAt" not in delivery
    assert await receipt_of(server, job_id, "destination") == "deliveries_ended"


async def test_status_only(server: Running, receiver: Receiver) -> None:
    job_id = await submitted(server, webhook=receiver.url(), webhookStatusOnly=True)
    (request,) = await receiver.got(1)
    body = verified(request, await secret(server))
    assert body == {"jobId": job_id, "status": "succeeded"}
    (delivery,) = await tried(server, job_id, 1)
    assert "bytes" not in delivery and "sha256" not in delivery


async def test_a_failed_job_tells_no_output(
    server: Running, receiver: Receiver, engine: FakeEngine
) -> None:
    engine.raises = EngineFailed(kind="test")
    job_id = await submitted(server, webhook=receiver.url())
    (request,) = await receiver.got(1)
    assert json.loads(request.body) == {"jobId": job_id, "status": "failed"}


async def test_a_canceled_job_is_told_as_well(
    server: Running, receiver: Receiver, engine: FakeEngine
) -> None:
    engine.gate.clear()
    job_id = await submitted(server, webhook=receiver.url())
    waiting = await deliveries(server, job_id)
    assert [(each["state"], each["attempts"]) for each in waiting] == [("waiting", [])]
    assert "nextAttemptAt" not in waiting[0]
    await server.client.post(f"/v1/jobs/{job_id}/cancel")
    (request,) = await receiver.got(1)
    assert json.loads(request.body) == {"jobId": job_id, "status": "canceled"}
    assert await receipt_of(server, job_id, "destination") == "deliveries_ended"


async def test_a_job_that_expires_in_the_queue_is_told(
    server: Running, receiver: Receiver, engine: FakeEngine, clock: FakeClock
) -> None:
    engine.gate.clear()
    first = await submitted(server)
    await asyncio.to_thread(engine.started.wait)
    others = [await submitted(server, webhook=receiver.url()) for _ in range(3)]
    clock.advance(server.settings.limits.queue_ttl + 1)
    await server.server.queue_expiry.run()
    ended = json.loads((await receiver.got(1))[0].body)
    assert ended["jobId"] in others and ended["status"] == "failed"
    await server.client.post(f"/v1/jobs/{first}/cancel")


async def test_a_deleted_job_tells_nobody(
    server: Running, receiver: Receiver, clock: FakeClock
) -> None:
    receiver.answers = [500, 500]
    deleted = await submitted(server, webhook=receiver.url("/deleted"))
    await tried(server, deleted, 2)
    answer = await server.client.delete(f"/v1/jobs/{deleted}")
    assert answer.status_code == 204, answer.text
    clock.advance(60)
    await submitted(server, webhook=receiver.url("/kept"))
    assert (await receiver.got(3))[2].target == "/kept"


async def test_a_slow_receiver_takes_nobody_else_s_place(start: Start, receiver: Receiver) -> None:
    receiver.otherwise = None
    async with receiving() as prompt:
        async with start(webhooks=Webhooks(allow=[receiver.rule, prompt.rule])) as server:
            for number in range(6):
                await submitted(server, webhook=receiver.url(f"/{number}"))
            await receiver.got(4)
            job_id = await submitted(server, webhook=prompt.url())
            await prompt.got(1)
            (delivery,) = await tried(server, job_id, 1)
            assert delivery["state"] == "delivered"
            assert len(receiver.requests) == 4
            receiver.otherwise = 204
            receiver.let_go()
            await receiver.got(6)


@pytest.mark.parametrize(
    "webhook",
    [
        "http://hooks.example/in?token=s3cr3t",
        "ftp://127.0.0.1/s3cr3t",
        "https://user:s3cr3t@hooks.example/",
        "s3cr3t",
        "",
    ],
)
@pytest.mark.parametrize("field", ["webhook", "deliver.url"])
async def test_a_place_that_nothing_can_be_sent_to_makes_no_job(
    server: Running, field: str, webhook: str
) -> None:
    place = {"webhook": webhook} if field == "webhook" else {"deliver": {"url": webhook}}
    url = await server.upload(b"audio")
    answer = await server.client.post("/v1/diarize", json={"url": url, **place})
    assert answer.status_code == 400
    assert [fault["field"] for fault in answer.json()["errors"]] == [field]
    assert "s3cr3t" not in answer.text


async def test_urls_secrets_and_content_are_in_no_log_and_no_file(
    server: Running, receiver: Receiver, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG, logger="onprem")
    signing = await secret(server)
    receiver.answers = [500, (302, "/redirect-marker"), 400, (302, "http://10.0.0.1/closed-marker")]
    job_id = await submitted(server, webhook=receiver.url("/path-marker?query-marker"))
    (delivery,) = await tried(server, job_id, 2)
    assert [each["reason"] for each in delivery["attempts"]] == ["http_error"] * 2
    markers = ["path-marker", "query-marker", "redirect-marker", "closed-marker", signing]
    assert "http_error" in caplog.text
    assert not [marker for marker in markers if marker in caplog.text]
    for path in tmp_path.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [marker for marker in markers if marker.encode() in content], path


async def test_another_project_learns_of_no_delivery(server: Running, receiver: Receiver) -> None:
    job_id = await submitted(server, webhook=receiver.url())
    await server.create_project("other")
    headers = {"authorization": f"Bearer {await server.key('other')}"}
    for method, path in (("GET", "deliveries"), ("POST", "ack")):
        answer = await server.client.request(method, f"/v1/jobs/{job_id}/{path}", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_secret_is_what_receivers_take() -> None:
    assert secret_text(bytes(32)) == "whsec_" + "A" * 43 + "="
