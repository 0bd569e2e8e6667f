"""The ledger over the API: pages, verification, export, and who read what."""

import io
import sqlite3
from base64 import b64decode
from contextlib import closing
from typing import Any

import pytest

from onprem.core.ledger_verification import verify
from onprem.store.data_directory import MARK
from tests.support.audio import tone
from tests.support.server import Running


async def ended_job(server: Running) -> str:
    job_id = await server.diarize(url=await server.upload(tone(1.0)))
    await server.finished(job_id)
    return job_id


async def ledger(server: Running, **query: object) -> dict[str, Any]:
    answer = await server.client.get("/v1/admin/ledger", params=query)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_it_shows_entries_and_where_it_stands(server: Running) -> None:
    job_id = await ended_job(server)
    found = await ledger(server)
    newest = found["entries"][0]
    assert found["tip"] == {"size": newest["seq"], "digest": newest["digest"]}
    assert found["after"]["size"] == 0
    assert len(b64decode(found["publicKey"])) == 32
    (of_job,) = [
        each
        for each in found["entries"]
        if each.get("jobId") == job_id and each["body"]["kind"] == "request"
    ]
    assert (of_job["kind"], of_job["body"]["reason"]) == ("deletion", "job_ended")
    assert of_job["at"] == "2027-01-15T08:00:00.000Z"


async def test_pages_hold_each_entry_once(server: Running) -> None:
    await ended_job(server)
    whole = [each["seq"] for each in (await ledger(server))["entries"]]
    assert whole == sorted(whole, reverse=True) and whole[-1] == 1
    paged: list[int] = []
    query: dict[str, object] = {"limit": 2}
    while True:
        page = await ledger(server, **query)
        paged += [each["seq"] for each in page["entries"]]
        if "nextCursor" not in page:
            break
        query["cursor"] = page["nextCursor"]
    assert paged == whole


async def test_it_can_be_narrowed(server: Running) -> None:
    job_id = await ended_job(server)
    found = (await ledger(server, kind="deletion", job=job_id))["entries"]
    assert found and {(each["kind"], each["jobId"]) for each in found} == {("deletion", job_id)}
    assert not (await ledger(server, kind="canary", job=job_id))["entries"]


@pytest.mark.parametrize(
    ("query", "field"), [("limit=0", "limit"), ("cursor=x", "cursor"), ("kind=x", "kind")]
)
async def test_a_faulty_query_is_named(server: Running, query: str, field: str) -> None:
    answer = await server.client.get(f"/v1/admin/ledger?{query}")
    assert answer.status_code == 400
    assert [each["field"] for each in answer.json()["errors"]] == [field]


async def test_a_checkpoint_is_shown_as_it_was_signed(server: Running) -> None:
    await ended_job(server)
    await server.server.checkpoints.make()
    last = (await ledger(server))["lastCheckpoint"]
    assert last["document"]["body"]["number"] == last["number"]
    assert "exportedAt" not in last


async def test_an_intact_ledger_verifies(server: Running) -> None:
    await ended_job(server)
    await server.server.checkpoints.make()
    answer = await server.client.get("/v1/admin/ledger/verification")
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["intact"], found["problems"]) == (True, [])
    assert found["ledger"]["last"] == (await ledger(server))["tip"]["size"]


async def test_a_tampered_one_does_not(server: Running) -> None:
    await ended_job(server)
    with closing(sqlite3.connect(server.settings.storage.data_dir / MARK)) as forger:
        forger.executescript(
            "DROP TRIGGER ledger_entries_never_change;UPDATE ledger SET body = '{}' WHERE seq = 2;"
        )
    found = (await server.client.get("/v1/admin/ledger/verification")).json()
    assert not found["intact"]
    assert found["problems"][0]["where"] == "ledger entry 2"


async def test_an_export_verifies_by_its_bytes_and_the_public_key(server: Running) -> None:
    await ended_job(server)
    await server.server.checkpoints.make()
    key = b64decode((await ledger(server))["publicKey"])
    answer = await server.client.get("/v1/admin/ledger/export")
    assert answer.headers["content-type"] == "application/x-ndjson"
    found = verify(io.BytesIO(answer.content).readlines(), key, None)
    assert found.intact and found.checkpoints == 2
    later = await server.client.get("/v1/admin/ledger/export?since=1900000000")
    found = verify(io.BytesIO(later.content).readlines(), key, None)
    assert found.intact and found.checkpoints == 0


async def accesses(server: Running, job_id: str) -> list[dict[str, Any]]:
    answer = await server.client.get("/v1/admin/access-log", params={"job": job_id})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["accesses"]
    return found


async def test_who_read_a_job_and_its_media_is_answered(server: Running) -> None:
    url = await server.upload(tone(1.0))
    job_id = await server.diarize(url=url)
    other = await server.diarize(url=await server.upload(tone(1.0), "media://other.wav"))
    await server.finished(job_id)
    await server.finished(other)
    link = (await server.client.post("/v1/media/output", json={"url": url})).json()["url"]
    assert (await server.client.get(link)).status_code == 200
    assert (await server.client.get(f"/v1/jobs/{job_id}/output?format=rttm")).status_code == 200
    found = await accesses(server, job_id)
    assert [each["number"] for each in found] == sorted(each["number"] for each in found)
    assert {(each["what"], each["means"], each["result"]) for each in found} == {
        ("output", "api", "read"),
        ("media", "api", "read"),
    }
    assert {each["who"].partition(":")[0] for each in found} == {"key"}
    assert [each["what"] for each in await accesses(server, other)] == ["output"]


async def test_a_job_that_nobody_knows_has_no_readers(server: Running) -> None:
    answer = await server.client.get("/v1/admin/access-log?job=nothing")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    answer = await server.client.get("/v1/admin/access-log")
    assert answer.json()["errors"][0]["field"] == "job"
