"""The media of a project: listed by URL, deleted on request, with receipts."""

import asyncio
from pathlib import Path

import pytest

from onprem.core.receipt import DeletionReason
from tests.support.audio import tone
from tests.support.clock import FakeClock
from tests.support.engine import FakeEngine
from tests.support.server import Running

URL = "media://a.wav"


def files(server: Running) -> list[Path]:
    return list((server.settings.storage.data_dir / "blobs").iterdir())


async def listed(server: Running, **query: object) -> list[str]:
    answer = await server.client.get("/v1/media", params=query)
    assert answer.status_code == 200, answer.text
    return [item["url"] for item in answer.json()["items"]]


async def receipts(server: Running) -> list[dict[str, object]]:
    found: list[dict[str, object]] = (await server.client.get("/v1/media/receipts")).json()[
        "receipts"
    ]
    return found


async def test_what_is_there_is_listed_with_its_deadline(server: Running, clock: FakeClock) -> None:
    await server.upload(b"12345")
    clock.advance(1)
    await server.upload(b"123", "media://calls/b.wav")
    body = (await server.client.get("/v1/media")).json()
    assert body["nextCursor"] is None
    first, second = body["items"]
    assert (first["url"], first["size"]) == (URL, 5)
    assert (second["url"], second["size"]) == ("media://calls/b.wav", 3)
    assert first["createdAt"] == "2027-01-15T08:00:00.000Z"
    assert first["expiresAt"] == "2027-01-17T08:00:00.000Z"
    assert len(first["artefactId"]) == 32
    clock.advance(48 * 3600 - 1)
    assert await listed(server) == ["media://calls/b.wav"]


async def test_pages_hold_everything_once_whatever_is_deleted_in_between(server: Running) -> None:
    urls = [f"media://{number:02}" for number in range(7)]
    for url in reversed(urls):
        await server.upload(b"x", url)
    seen: list[str] = []
    query: dict[str, object] = {"limit": 3}
    while True:
        body = (await server.client.get("/v1/media", params=query)).json()
        seen += [item["url"] for item in body["items"]]
        if body["nextCursor"] is None:
            break
        await server.client.delete("/v1/media", params={"url": body["nextCursor"]})
        query["cursor"] = body["nextCursor"]
    assert seen == urls


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"limit": "9" * 5000}, "limit"),
        ({"cursor": "x"}, "cursor"),
    ],
)
async def test_a_page_that_cannot_be_is_a_400(
    server: Running, query: dict[str, str], field: str
) -> None:
    answer = await server.client.get("/v1/media", params=query)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_deleting_leaves_a_receipt_and_nothing_else(server: Running) -> None:
    await server.upload(tone(1.0))
    artefact = (await server.client.get("/v1/media")).json()["items"][0]["artefactId"]
    answer = await server.client.delete("/v1/media", params={"url": URL})
    assert answer.status_code == 200
    receipt = answer.json()["receipt"]
    assert receipt["artefactId"] == artefact
    assert (receipt["kind"], receipt["reason"]) == ("media", DeletionReason.REQUESTED)
    assert receipt["verified"] is True
    assert files(server) == []
    assert await listed(server) == []
    assert await receipts(server) == [receipt]
    assert (await server.client.post("/v1/diarize", json={"url": URL})).status_code == 400


@pytest.mark.parametrize("url", ["media://nobody", URL])
async def test_what_is_not_there_cannot_be_deleted(server: Running, url: str) -> None:
    await server.upload(b"x")
    await server.client.delete("/v1/media", params={"url": URL})
    answer = await server.client.delete("/v1/media", params={"url": url})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert len(await receipts(server)) == 1


@pytest.mark.parametrize("query", [{}, {"url": "a.wav"}, {"url": "media://a b"}])
async def test_a_url_that_is_none_is_a_400(server: Running, query: dict[str, str]) -> None:
    answer = await server.client.delete("/v1/media", params=query)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["url"]


async def test_what_an_unfinished_job_needs_goes_after_it(
    server: Running, engine: FakeEngine
) -> None:
    engine.gate.clear()
    await server.upload(tone(1.0))
    running = await server.diarize(url=URL)
    await asyncio.to_thread(engine.started.wait, 10)
    waiting = await server.diarize(url=URL)
    (item,) = (await server.client.get("/v1/media")).json()["items"]

    answer = await server.client.delete("/v1/media", params={"url": URL})
    assert answer.status_code == 202
    assert answer.json() == {"artefactId": item["artefactId"], "expiresAt": item["expiresAt"]}
    assert await listed(server) == []
    assert (await server.client.post("/v1/diarize", json={"url": URL})).status_code == 400
    assert (await server.client.delete("/v1/media", params={"url": URL})).status_code == 404
    await server.server.sweep.run()
    assert len(files(server)) == 1

    engine.gate.set()
    assert (await server.finished(running))["status"] == "succeeded"
    assert (await server.finished(waiting))["status"] == "succeeded"
    await server.server.sweep.run()
    assert files(server) == []
    (receipt,) = await receipts(server)
    assert (receipt["artefactId"], receipt["reason"]) == (item["artefactId"], "requested")


async def test_a_deleted_name_can_be_used_again_while_its_old_bytes_are_needed(
    server: Running, engine: FakeEngine
) -> None:
    engine.gate.clear()
    await server.upload(tone(1.0))
    bound = await server.diarize(url=URL)
    await server.client.delete("/v1/media", params={"url": URL})
    await server.upload(tone(3.0))
    later = await server.diarize(url=URL)
    engine.gate.set()
    await server.finished(bound)
    await server.finished(later)
    # Two jobs are in work at once: either may be decoded first.
    assert sorted(samples for _, samples in engine.heard) == [16_000, 48_000]
    await server.server.sweep.run()
    assert [receipt["reason"] for receipt in await receipts(server)] == ["requested"]
    assert await listed(server) == [URL]


async def test_receipts_tell_why_and_come_in_pages(server: Running, clock: FakeClock) -> None:
    await server.upload(b"1")
    await server.upload(b"2")
    await server.client.delete("/v1/media", params={"url": URL})
    await server.upload(b"3", "media://b.wav")
    clock.advance(48 * 3600)
    await server.server.sweep.run()
    reasons, query = [], {"limit": "1"}
    while True:
        body = (await server.client.get("/v1/media/receipts", params=query)).json()
        reasons += [receipt["reason"] for receipt in body["receipts"]]
        if body["nextCursor"] is None:
            break
        query["cursor"] = body["nextCursor"]
    assert reasons == ["deadline", "requested", "replaced"]
