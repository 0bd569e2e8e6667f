"""Administration: projects, keys, models, usage and settings, for keys with `admin` alone."""

from pathlib import Path
from typing import Any

import pytest

from onprem.config.settings import Node
from onprem.engine.importing import import_folder
from onprem.engine.library import ModelLibrary
from onprem.http.app import ROUTES
from onprem.services.keys import USUAL_SCOPES, Scope
from tests.support.audio import tone
from tests.support.clock import FakeClock
from tests.support.engine import FakeEngine
from tests.support.model_folders import make_whisper_folder
from tests.support.rows import change, row
from tests.support.server import Running, install, running, settings_in

ADMIN_ROUTES = [route for route in ROUTES if min(route.paths).startswith("/v1/admin/")]
DEFAULTS = {
    "region": "any",
    "operations": ["diarize", "identify", "transcribe", "voiceprint"],
    "consentRequired": False,
}


async def projects(server: Running) -> dict[str, dict[str, Any]]:
    found = (await server.client.get("/v1/admin/projects")).json()["projects"]
    return {project["name"]: project for project in found}


def fields_of(answer: Any) -> set[str]:
    assert answer.status_code == 400, answer.text
    return {error["field"] for error in answer.json()["errors"]}


@pytest.mark.parametrize("route", ADMIN_ROUTES, ids=lambda route: route.handler_name)
def test_every_route_asks_for_admin(route: Any) -> None:
    assert route.opt["scope"] is Scope.ADMIN


@pytest.mark.parametrize("route", ADMIN_ROUTES, ids=lambda route: route.handler_name)
async def test_a_key_without_admin_is_refused_before_anything_is_looked_at(
    server: Running, route: Any
) -> None:
    headers = {"authorization": f"Bearer {await server.key(scopes=USUAL_SCOPES)}"}
    method = min(set(route.http_methods) - {"HEAD", "OPTIONS"})
    for place in ("default", "nobody"):
        path = min(route.paths).partition("{")[0] + (place if "{" in min(route.paths) else "")
        answer = await server.client.request(method, path, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")


async def test_a_project_is_made_with_its_settings(server: Running) -> None:
    made = await server.client.post(
        "/v1/admin/projects",
        json={"name": "sales", "region": "eu", "operations": ["diarize"], "mediaBytes": 5},
    )
    assert made.status_code == 201
    expected = {
        "id": made.json()["id"],
        "name": "sales",
        "createdAt": "2027-01-15T08:00:00.000Z",
        "region": "eu",
        "operations": ["diarize"],
        "consentRequired": False,
        "mediaBytes": 5,
    }
    assert made.json() == expected
    assert (await projects(server))["sales"] == expected
    for named in ("sales", expected["id"]):
        assert (await server.client.get(f"/v1/admin/projects/{named}")).json() == expected


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"name"}),
        ({"name": 3}, {"name"}),
        ({"name": " "}, {"name"}),
        ({"name": "default"}, {"name"}),
        ({"name": "x" * 101}, {"name"}),
        ({"name": "a\nb"}, {"name"}),
        ({"name": "prj_0"}, {"name"}),
        ({"name": "a", "region": "e u", "regoin": "eu"}, {"region", "regoin"}),
        ([], {"body"}),
    ],
)
async def test_a_project_with_faults_is_not_made(
    server: Running, body: object, fields: set[str]
) -> None:
    assert fields_of(await server.client.post("/v1/admin/projects", json=body)) == fields
    assert set(await projects(server)) == {"default"}


async def test_settings_change_one_by_one_and_null_resets_them(server: Running) -> None:
    path = "/v1/admin/projects/default"
    for body in (
        {"queuedJobs": 3},
        {"consentRequired": True},
        {"requestsPerMinute": 9},
        {"mediaRetention": 60, "outputRetention": 0},
    ):
        assert (await server.client.patch(path, json=body)).status_code == 200
    changed = (await projects(server))["default"]
    assert changed["consentRequired"] is True
    assert (changed["queuedJobs"], changed["requestsPerMinute"]) == (3, 9)
    assert (changed["mediaRetention"], changed["outputRetention"]) == (60, 0)
    nulls = dict.fromkeys(
        [
            *("queuedJobs", "consentRequired", "requestsPerMinute"),
            *("mediaRetention", "outputRetention"),
        ]
    )
    reset = (await server.client.patch(path, json=nulls)).json()
    assert {name: reset[name] for name in reset if name not in ("id", "name", "createdAt")} == (
        DEFAULTS
    )


async def test_a_change_with_faults_changes_nothing(server: Running) -> None:
    before = await projects(server)
    path = "/v1/admin/projects/default"
    body = {"region": "eu", "name": "other", "mediaBytes": "50GiB"}
    assert fields_of(await server.client.patch(path, json=body)) == {"name", "mediaBytes"}
    assert await projects(server) == before


@pytest.mark.parametrize("method", ["GET", "PATCH"])
async def test_a_project_that_is_not_there_is_a_404(server: Running, method: str) -> None:
    answer = await server.client.request(method, "/v1/admin/projects/nobody", content=b"{}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_key_is_shown_once_and_acts_for_its_project(server: Running) -> None:
    await server.create_project("sales")
    sales = (await projects(server))["sales"]["id"]
    made = await server.client.post(
        "/v1/admin/keys",
        json={"name": "app", "project": "sales", "scopes": ["media:write"], "expiresIn": "2h"},
    )
    assert made.status_code == 201
    shown = made.json()
    secret = shown.pop("key")
    assert shown == {
        "id": secret[3:11],
        "name": "app",
        "projectId": sales,
        "scopes": ["media:write"],
        "createdAt": "2027-01-15T08:00:00.000Z",
        "expiresAt": "2027-01-15T10:00:00.000Z",
    }
    listed = await server.client.get("/v1/admin/keys")
    assert shown in listed.json()["keys"]
    assert secret not in listed.text
    assert (await server.server.use.keys.authenticate(secret)).project_id == sales


async def test_a_key_gets_all_but_admin_and_lives_on_unless_more_is_said(server: Running) -> None:
    body = {"name": "app", "project": "default"}
    made = (await server.client.post("/v1/admin/keys", json=body)).json()
    assert made["scopes"] == ["media:read", "media:write", "jobs:read", "jobs:write"]
    assert not {"expiresAt", "revokedAt"} & set(made)


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"name": None}, {"name"}),
        ({"name": ""}, {"name"}),
        ({"name": "x" * 101}, {"name"}),
        ({"project": None}, {"project"}),
        ({"scopes": []}, {"scopes"}),
        ({"scopes": ["everything"]}, {"scopes[0]"}),
        ({"scopes": ["admin", "admin"]}, {"scopes"}),
        ({"expiresIn": "soon"}, {"expiresIn"}),
        ({"expiresIn": "0"}, {"expiresIn"}),
        ({"expiresIn": "99999999d"}, {"expiresIn"}),
        ({"expiresin": "90d"}, {"expiresin"}),
    ],
)
async def test_a_key_with_faults_is_not_made(
    server: Running, changes: dict[str, object], fields: set[str]
) -> None:
    body = {"name": "app", "project": "default"} | changes
    assert fields_of(await server.client.post("/v1/admin/keys", json=body)) == fields
    assert len((await server.client.get("/v1/admin/keys")).json()["keys"]) == 1


async def test_a_key_for_a_project_that_is_not_there_is_a_404(server: Running) -> None:
    body = {"name": "app", "project": "nobody"}
    assert (await server.client.post("/v1/admin/keys", json=body)).status_code == 404


async def test_a_revoked_key_opens_nothing_and_stays_listed(server: Running) -> None:
    key = await server.key()
    path = f"/v1/admin/keys/{key[3:11]}"
    gone = await server.client.delete(path)
    assert (gone.status_code, gone.content) == (204, b"")
    headers = {"authorization": f"Bearer {key}"}
    assert (await server.client.get("/v1/test", headers=headers)).status_code == 401
    keys = (await server.client.get("/v1/admin/keys")).json()["keys"]
    assert [each["revokedAt"] for each in keys if each["id"] == key[3:11]] == [
        "2027-01-15T08:00:00.000Z"
    ]
    assert (await server.client.delete(path)).json()["code"] == "not_found"


async def test_models_are_listed_with_defaults_recipes_and_aliases(
    server: Running, tmp_path: Path
) -> None:
    library = ModelLibrary(server.settings.models_dir)
    folder = make_whisper_folder(tmp_path)
    model = import_folder(library, folder, progress=lambda sentence: None)
    body = (await server.client.get("/v1/admin/models")).json()
    assert body == {
        "models": [
            {"id": model.id, "kind": "transcription", "licence": "MIT", "digest": model.digest}
        ],
        "defaults": {"diarization": "starter", "transcription": "whisper-base"},
        "recipes": {"starter": ["segmentation-3.0", "campplus-zh-en"]},
        "aliases": {},
    }


async def test_usage_counts_jobs_audio_and_media_of_each_project(
    server: Running, clock: FakeClock
) -> None:
    await server.create_project("idle")
    url = await server.upload(tone(1.0))
    first, second = await server.diarize(url=url), await server.diarize(url=url)
    await server.finished(first)
    await server.finished(second)
    change(server, first, "duration = 1.5")
    change(server, second, "duration = 2.0, created_at = created_at - 86400")
    me = (await projects(server))["default"]["id"]
    of_all = {"projectId": me, "project": "default", "kind": "diarize", "status": "succeeded"}

    together = (await server.client.get("/v1/admin/usage")).json()
    assert together["jobs"] == [{**of_all, "jobs": 2, "audioSeconds": 3.5}]
    size = len(tone(1.0))
    assert together["media"] == [{"projectId": me, "project": "default", "files": 1, "bytes": size}]

    by_day = (await server.client.get("/v1/admin/usage", params={"by": "day"})).json()["jobs"]
    assert by_day == [
        {**of_all, "jobs": 1, "audioSeconds": 1.5, "day": "2027-01-15"},
        {**of_all, "jobs": 1, "audioSeconds": 2.0, "day": "2027-01-14"},
    ]
    clock.advance(48 * 3600)
    assert (await server.client.get("/v1/admin/usage")).json()["media"] == []
    assert fields_of(await server.client.get("/v1/admin/usage", params={"by": "hour"})) == {"by"}


async def test_settings_are_those_that_hold(server: Running) -> None:
    body = (await server.client.get("/v1/admin/settings")).json()
    assert body["retention"]["media"] == "48h"
    assert body["storage"]["data_dir"] == str(server.settings.storage.data_dir)
    assert server.settings.storage.master_key_file is not None
    assert server.settings.storage.master_key_file.read_text().strip() not in str(body)


@pytest.mark.parametrize(
    ("region", "runs"), [("any", True), ("eu", True), ("fra-1", True), ("us", False)]
)
async def test_a_job_runs_only_where_its_project_allows(
    tmp_path: Path, region: str, runs: bool
) -> None:
    settings = settings_in(tmp_path, node=Node(region="fra-1", eu_regions=["fra-1"]))
    clock = FakeClock()
    key = await install(settings, clock)
    async with running(settings, FakeEngine(), key, clock) as server:
        url = await server.upload(tone(1.0))
        await server.client.patch("/v1/admin/projects/default", json={"region": region})
        answer = await server.client.post("/v1/diarize", json={"url": url})
        if runs:
            job_id = answer.json()["jobId"]
            assert row(server, job_id, "region") == (region,)
            assert (await server.finished(job_id))["status"] == "succeeded"
        else:
            assert fields_of(answer) == {"region"}
            assert "us" in answer.text and "fra-1" in answer.text


async def test_a_new_region_touches_later_submissions_only(
    server: Running, engine: FakeEngine
) -> None:
    engine.gate.clear()
    url = await server.upload(tone(1.0))
    before = [await server.diarize(url=url) for _ in range(3)]
    await server.client.patch("/v1/admin/projects/default", json={"region": "mars"})
    assert (await server.client.post("/v1/diarize", json={"url": url})).status_code == 400
    engine.gate.set()
    for job_id in before:
        assert (await server.finished(job_id))["status"] == "succeeded"
        assert row(server, job_id, "region") == ("any",)


async def test_operations_that_are_switched_off_are_a_403(server: Running) -> None:
    url = await server.upload(tone(1.0))
    operations = {"operations": ["transcribe"]}
    await server.client.patch("/v1/admin/projects/default", json=operations)
    answer = await server.client.post("/v1/diarize", json={"url": url})
    assert (answer.status_code, answer.json()["code"]) == (403, "operation_disabled")
