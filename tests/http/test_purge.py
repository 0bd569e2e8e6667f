"""`POST /v1/admin/purge`: the plan first, then the same plan carried out."""

import asyncio
from typing import Any

import msgspec
import pytest

from onprem.core.certificate import ErasureCertificate
from onprem.core.purge import EVERYTHING
from onprem.core.signed import SignedDocument, open_signed
from onprem.services.keys import ALL_SCOPES
from tests.support.audio import tone
from tests.support.clock import FakeClock
from tests.support.engine import FakeEngine
from tests.support.server import Running

NOBODYS = "1a20dbb3-2c96-482d-b5ae-d7770645c786"


async def purge(server: Running, status: int = 200, **body: object) -> dict[str, Any]:
    answer = await server.client.post("/v1/admin/purge", json=body)
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def finished_job(server: Running) -> str:
    job_id = await server.diarize(url=await server.upload(tone(1.0)))
    await server.finished(job_id)
    return job_id


async def test_nothing_is_deleted_unless_that_is_said(server: Running) -> None:
    job_id = await finished_job(server)
    shown = await purge(server, job=job_id)
    assert shown["dryRun"] is True
    (item,) = shown["plan"]["items"]
    assert (item["kind"], item["jobId"], item["why"]) == ("output", job_id, "its job is purged")
    assert shown["plan"]["hiddenJobs"] == [job_id]
    assert "output" in await server.job(job_id)
    done = await purge(server, job=job_id, dryRun=False)
    assert done["dryRun"] is False
    (receipt,) = done["receipts"]
    assert receipt["receipt"]["artefactId"] == item["artefactId"]
    assert receipt["receipt"]["reason"] == "purged"
    assert (await server.client.get(f"/v1/jobs/{job_id}")).status_code == 404
    assert (await server.client.get("/v1/media")).json()["items"] != []


async def test_a_job_that_runs_is_stopped(server: Running, engine: FakeEngine) -> None:
    engine.gate.clear()
    job_id = await server.diarize(url=await server.upload(tone(1.0)))
    await asyncio.to_thread(engine.started.wait)
    done = await purge(server, job=job_id, dryRun=False)
    assert done["plan"]["canceledJobs"] == [job_id]
    assert {each["receipt"]["kind"] for each in done["receipts"]} == {"request", "worker_copy"}
    assert {each["receipt"]["reason"] for each in done["receipts"]} == {"purged", "job_ended"}


async def test_a_run_that_does_not_stop_is_named(
    server: Running, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onprem.http.routes.administration.purge.RUNS_SECONDS", 0.2)
    engine.gate.clear()
    engine.deaf = True
    job_id = await server.diarize(url=await server.upload(tone(1.0)))
    await asyncio.to_thread(engine.started.wait)
    assert (await purge(server, 202, job=job_id, dryRun=False))["stopping"] == [job_id]


async def test_media_goes_now(server: Running) -> None:
    await server.upload(tone(1.0), "media://calls/monday.wav")
    (item,) = (await purge(server, media="default/calls/monday.wav"))["plan"]["items"]
    assert item["kind"] == "media" and item["size"] == len(tone(1.0))
    await purge(server, media="default/calls/monday.wav", dryRun=False)
    assert (await server.client.get("/v1/media")).json()["items"] == []


async def test_what_is_due_goes_by_the_sweep(server: Running, clock: FakeClock) -> None:
    await server.upload(tone(1.0))
    assert (await purge(server, due=True, dryRun=False))["receipts"] == []
    clock.advance(48 * 3600)
    done = await purge(server, due=True, dryRun=False)
    assert [each["receipt"]["reason"] for each in done["receipts"]] == ["deadline"]


async def test_everything_needs_its_words(server: Running) -> None:
    job_id = await finished_job(server)
    for words in ({}, {"confirm": "yes"}):
        refused = await purge(server, 400, all=True, dryRun=False, **words)
        assert [error["field"] for error in refused["errors"]] == ["confirm"]
    assert "output" in await server.job(job_id)
    done = await purge(server, all=True, dryRun=False, confirm=EVERYTHING)
    assert {each["receipt"]["kind"] for each in done["receipts"]} == {"media", "output"}
    assert (await server.client.get("/v1/test")).status_code == 200  # projects and keys stay


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "selection"),
        ({"due": True, "all": True}, "selection"),
        ({"media": "default"}, "media"),
        ({"job": NOBODYS, "dryrun": False}, "dryrun"),
        ({"job": 7}, "job"),
    ],
)
async def test_a_wrong_selection_is_refused(
    server: Running, body: dict[str, Any], field: str
) -> None:
    refused = await purge(server, 400, **body)
    assert [error["field"] for error in refused["errors"]] == [field]


@pytest.mark.parametrize(
    "body", [{"job": NOBODYS}, {"media": "default/x"}, {"media": "no/x"}, {"project": "no"}]
)
async def test_what_does_not_exist_is_not_purged(server: Running, body: dict[str, str]) -> None:
    await purge(server, 404, **body, dryRun=False)


async def test_a_project_is_erased_with_a_certificate(server: Running) -> None:
    await server.create_project("sales")
    key = await server.key("sales", ALL_SCOPES)
    headers = {"authorization": f"Bearer {key}"}
    link = await server.client.post(
        "/v1/media/input", json={"url": "media://late.wav"}, headers=headers
    )
    body = {"url": "https://a.example/x.wav"}
    job = await server.client.post("/v1/diarize", json=body, headers=headers)
    job_id = job.json()["jobId"]

    done = await purge(server, project="sales", dryRun=False)

    raw = msgspec.json.encode(done["certificate"])
    document = msgspec.json.decode(raw, type=SignedDocument)
    said = open_signed(document, ErasureCertificate, server.server.use.signer.public_key)
    assert said.project_id == done["plan"]["project"]["projectId"]
    assert said.records.keys == 1 and said.receipts.count == len(done["receipts"])
    assert (await server.client.get("/v1/test", headers=headers)).status_code == 401
    late = await server.client.put(
        link.json()["url"], content=tone(1.0), headers={"authorization": ""}
    )
    assert (late.status_code, late.json()["code"]) == (403, "upload_link_invalid")
    admin = server.client
    names = [each["name"] for each in (await admin.get("/v1/admin/projects")).json()["projects"]]
    assert names == ["default"]
    assert (await admin.get("/v1/admin/projects/sales")).status_code == 404
    assert (await admin.get(f"/v1/jobs/{job_id}")).status_code == 404
    assert (await admin.get("/v1/admin/usage")).json()["jobs"] == []
    assert (await admin.post("/v1/admin/projects", json={"name": "sales"})).status_code == 201
