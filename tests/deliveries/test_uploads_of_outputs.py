"""`deliver`: the output goes by PUT to a presigned URL of an object store."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from moto.server import ThreadedMotoServer

from onprem.config.settings import Fetch, Webhooks
from onprem.errors import EngineFailed
from tests.deliveries.conftest import Start
from tests.support.audio import tone
from tests.support.deliveries import deliveries, receipt_of, submitted, tried
from tests.support.engine import FakeEngine
from tests.support.receiver import Receiver
from tests.support.server import Running


class ObjectStore:
    """A bucket in an S3 on loopback."""

    def __init__(self, port: int, version: str) -> None:
        self.rule = f"127.0.0.1:{port}"
        self.client: Any = boto3.client(
            "s3",
            endpoint_url=f"http://{self.rule}",
            region_name="us-east-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
            config=Config(signature_version=version, s3={"addressing_style": "path"}),
        )
        self.client.create_bucket(Bucket="calls")

    def presigned(self, method: str, key: str, lifetime: int = 600) -> str:
        parameters = {"Bucket": "calls", "Key": key}
        url: str = self.client.generate_presigned_url(method, parameters, ExpiresIn=lifetime)
        return url

    def content(self, key: str) -> bytes:
        body: bytes = self.client.get_object(Bucket="calls", Key=key)["Body"].read()
        return body


@pytest.fixture(params=["s3v4", "s3"])
def store(request: pytest.FixtureRequest) -> Iterator[ObjectStore]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    store = ObjectStore(port, request.param)
    yield store
    store.client.close()
    server.stop()


async def test_from_one_presigned_url_to_another(start: Start, store: ObjectStore) -> None:
    store.client.put_object(Bucket="calls", Key="monday.wav", Body=tone(1.0))
    sections = {"fetch": Fetch(allow=[store.rule]), "webhooks": Webhooks(allow=[store.rule])}
    async with start(**sections) as server:
        job_id = await server.diarize(
            url=store.presigned("get_object", "monday.wav"),
            deliver={"url": store.presigned("put_object", "monday.json")},
        )
        job = await server.finished(job_id)
        assert job["status"] == "succeeded", job
        (delivery,) = await tried(server, job_id, 1)
        stored = store.content("monday.json")
        assert json.loads(stored) == job["output"]
        assert delivery["kind"] == "deliver" and delivery["state"] == "delivered", delivery
        assert delivery["bytes"] == len(stored)
        assert delivery["sha256"] == hashlib.sha256(stored).hexdigest()
        assert await receipt_of(server, job_id, "destination") == "deliveries_ended"


@pytest.mark.parametrize(
    ("format", "beginning", "content_type"),
    [
        ("rttm", b"SPEAKER ", "text/plain; charset=utf-8"),
        ("srt", b"1\n00:00:", "application/x-subrip; charset=utf-8"),
        ("vtt", b"WEBVTT\n", "text/vtt; charset=utf-8"),
        ("txt", b"[0:00:00] SPEAKER_00: Hello", "text/plain; charset=utf-8"),
        ("json", b'{"diarization"', "application/json"),
    ],
)
async def test_each_format(
    server: Running, receiver: Receiver, format: str, beginning: bytes, content_type: str
) -> None:
    wanted = {"url": receiver.url("/out"), "format": format}
    job_id = await submitted(server, transcription=True, deliver=wanted)
    (request,) = await receiver.got(1)
    (delivery,) = await tried(server, job_id, 1)
    shown = await server.client.get(f"/v1/jobs/{job_id}/output?format={format}")
    assert request.body == shown.content
    assert request.body.startswith(beginning)
    assert delivery["state"] == "delivered"
    assert set(request.headers) == {"host", "content-length", "content-type", "user-agent"}
    assert request.headers["content-type"] == content_type


async def test_subtitles_without_a_transcription_make_no_job(server: Running) -> None:
    wanted = {"url": "https://b.example/", "format": "srt"}
    body = {"url": await server.upload(b"audio"), "deliver": wanted}
    answer = await server.client.post("/v1/diarize", json=body)
    assert answer.status_code == 400
    assert [fault["field"] for fault in answer.json()["errors"]] == ["deliver.format"]


async def test_a_failed_job_puts_nothing_anywhere(
    server: Running, receiver: Receiver, engine: FakeEngine
) -> None:
    engine.raises = EngineFailed(kind="test")
    job_id = await submitted(
        server, deliver={"url": receiver.url("/out")}, webhook=receiver.url("/hook")
    )
    await receiver.got(1)
    found = await tried(server, job_id, 1)
    assert [(each["kind"], each["state"]) for each in found] == [
        ("webhook", "delivered"),
        ("deliver", "skipped"),
    ]
    assert [each.target for each in receiver.requests] == ["/hook"]
    assert await receipt_of(server, job_id, "destination") == "deliveries_ended"


async def test_the_webhook_and_the_upload_do_not_wait_for_each_other(
    server: Running, receiver: Receiver
) -> None:
    receiver.answers = [500, 500, 204]
    job_id = await submitted(server, webhook=receiver.url("/hook"))
    await tried(server, job_id, 2)
    both = await submitted(server, deliver={"url": receiver.url("/out")}, webhook=receiver.url())
    await receiver.got(4)
    found = await tried(server, both, 1)
    assert {each["state"] for each in found} == {"delivered"}
    assert (await deliveries(server, job_id))[0]["state"] == "waiting"


async def test_a_link_that_lasts_too_long_is_named_without_being_quoted(
    start: Start, store: ObjectStore, tmp_path: Path
) -> None:
    async with start() as server:
        for lifetime, warned in ((7 * 86_400, True), (86_400, False)):
            url = store.presigned("get_object", "s3cr3t.wav", lifetime)
            answer = await server.client.post("/v1/diarize", json={"url": url})
            assert answer.status_code == 200, answer.text
            assert ("`url` stays valid for" in answer.json().get("warning", "")) is warned
            assert "s3cr3t" not in answer.text
