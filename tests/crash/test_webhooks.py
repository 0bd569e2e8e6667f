"""kill -9 while a webhook is in flight, and between two tries of it: it arrives all the same."""

import asyncio
import json
import sqlite3
from contextlib import closing
from typing import Any

from standardwebhooks import Webhook

from onprem.store.data_directory import MARK
from tests.crash.conftest import MakeSite
from tests.support.audio import tone
from tests.support.crash import CrashSite
from tests.support.crash_server import TRANSCRIPT
from tests.support.receiver import receiving

URL_MARKER = "hook-marker-51c9d0"


def submit(site: CrashSite, webhook: str) -> str:
    site.upload(tone(1.0), "media://a.wav")
    body = {"url": "media://a.wav", "transcription": True, "webhook": webhook}
    return str(site.client.post("/v1/diarize", json=body).raise_for_status().json()["jobId"])


def delivery_of(site: CrashSite, job_id: str) -> dict[str, Any]:
    answer = site.client.get(f"/v1/jobs/{job_id}/deliveries").raise_for_status()
    (delivery,) = answer.json()["deliveries"]
    return dict(delivery)


def secret_of(site: CrashSite) -> str:
    query = {"project": "default"}
    answer = site.client.get("/v1/admin/webhook-secrets", params=query).raise_for_status()
    return str(answer.json()["secrets"][0]["secret"])


def make_due(site: CrashSite) -> None:
    """As if the minute before the next retry had passed."""
    with closing(sqlite3.connect(site.directory.root / MARK)) as connection, connection:
        changed = connection.execute("UPDATE delivery SET next_at = 1 WHERE state = 'waiting'")
        assert changed.rowcount == 1


async def until_tried(site: CrashSite, job_id: str, attempts: int) -> dict[str, Any]:
    async with asyncio.timeout(30):
        while True:
            delivery = await asyncio.to_thread(delivery_of, site, job_id)
            if len(delivery["attempts"]) >= attempts:
                return delivery
            await asyncio.sleep(0.05)


async def test_a_webhook_survives_kills_under_one_id(make_site: MakeSite) -> None:
    async with receiving() as receiver:
        site = await asyncio.to_thread(make_site)
        with (site.folder / "onprem.toml").open("a") as config:
            config.write(f'[webhooks]\nallow = ["{receiver.rule}"]\n')
        receiver.answers = [None, 500, 503]
        assert await asyncio.to_thread(site.start)
        job_id = await asyncio.to_thread(submit, site, receiver.url(f"/{URL_MARKER}"))
        await receiver.got(1)
        await asyncio.to_thread(site.kill)

        assert await asyncio.to_thread(site.start)
        await until_tried(site, job_id, 2)
        await asyncio.to_thread(site.kill)

        make_due(site)
        assert await asyncio.to_thread(site.start)
        delivery = await until_tried(site, job_id, 3)
        secret = await asyncio.to_thread(secret_of, site)
        assert await asyncio.to_thread(site.stop) == 0

    assert delivery["state"] == "delivered"
    retries = [request.headers.get("x-retry-num") for request in receiver.requests]
    assert retries == [None, None, "1", "2"]
    assert {request.headers["webhook-id"] for request in receiver.requests} == {delivery["id"]}
    body = Webhook(secret).verify(receiver.requests[3].body, receiver.requests[3].headers)
    assert body["jobId"] == job_id and TRANSCRIPT in json.dumps(body["output"])
    assert await asyncio.to_thread(site.violations) == []
    assert site.finds(URL_MARKER.encode(), secret.encode(), TRANSCRIPT.encode()) == []
