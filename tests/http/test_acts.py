"""What an operator does through the API stands in the ledger, with who did it and no name."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from onprem import __version__
from onprem.config.render import digest
from onprem.config.settings import Limits
from onprem.errors import StorageFull
from onprem.services.start_note import StartNote
from onprem.store import ledger
from tests.support.clock import FakeClock
from tests.support.engine import FakeEngine
from tests.support.entries import acts
from tests.support.server import Running, install, running, settings_in

PROJECTS, KEYS = "/v1/admin/projects", "/v1/admin/keys"
SECRETS = "/v1/admin/webhook-secrets"


@asynccontextmanager
async def noted(server: Running) -> AsyncIterator[list[dict[str, Any]]]:
    """The acts that the block makes, at its end; all by the client's key."""
    data_dir = server.settings.storage.data_dir
    before, made = len(acts(data_dir)), list[dict[str, Any]]()
    yield made
    made += acts(data_dir)[before:]
    assert {act.pop("actor") for act in made} <= {f"key:{_key_id(server)}"}


def _key_id(server: Running) -> str:
    key_id: str = server.client.headers["authorization"].split("_")[1]
    return key_id


async def send(server: Running, method: str, path: str, **body: Any) -> Any:
    answer: httpx.Response = await server.client.request(method, path, json=body or None)
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


async def test_a_project_and_its_settings(server: Running) -> None:
    async with noted(server) as made:
        project = await send(server, "POST", PROJECTS, name="sales", region="eu", queuedJobs=3)
        path = f"{PROJECTS}/{project['id']}"
        await send(server, "PATCH", path, queuedJobs=None, operations=["diarize"], region="eu")
    about = {"projectId": project["id"], "subject": project["id"]}
    assert made == [
        {"act": "project_created", "details": {"region": "eu", "queuedJobs": 3}, **about},
        {
            "act": "project_changed",
            "details": {"operations": ["diarize"], "queuedJobs": None},
            **about,
        },
    ]


async def test_a_change_that_changes_nothing_is_none(server: Running) -> None:
    async with noted(server) as made:
        await send(server, "PATCH", f"{PROJECTS}/default", region="any", queuedJobs=None)
    assert made == []


async def test_a_key_and_its_end(server: Running) -> None:
    async with noted(server) as made:
        key = await send(
            server, "POST", KEYS, name="app", project="default", scopes=["admin"], expiresIn="1h"
        )
        await send(server, "DELETE", f"{KEYS}/{key['id']}")
    about = {"projectId": key["projectId"], "subject": key["id"]}
    created, revoked = made
    assert created.pop("details") == {"scopes": ["admin"], "expiresAt": 1_800_003_600.0}
    assert (created, revoked) == (
        {"act": "key_created", **about},
        {"act": "key_revoked", **about},
    )


async def test_a_webhook_secret_that_is_shown_or_rotated(server: Running) -> None:
    project = (await send(server, "GET", f"{PROJECTS}/default"))["id"]
    async with noted(server) as made:
        await send(server, "GET", f"{SECRETS}?project=default")
        await send(server, "POST", SECRETS, project="default", overlap="2h")
    assert made == [
        {"act": "webhook_secret_shown", "projectId": project},
        {"act": "webhook_secret_rotated", "projectId": project, "details": {"overlap": 7200.0}},
    ]


async def test_what_is_refused_is_no_act(server: Running) -> None:
    async with noted(server) as made:
        for method, path, body in [
            ("POST", PROJECTS, {"name": "default"}),
            ("PATCH", f"{PROJECTS}/default", {"region": 3}),
            ("POST", KEYS, {"name": "x", "project": "nobody"}),
            ("DELETE", f"{KEYS}/00000000", None),
            ("GET", f"{SECRETS}?project=nobody", None),
        ]:
            assert (await server.client.request(method, path, json=body)).is_client_error
    assert made == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", PROJECTS, {"name": "sales"}),
        ("PATCH", f"{PROJECTS}/default", {"region": "eu"}),
        ("POST", KEYS, {"name": "x", "project": "default"}),
        ("GET", f"{SECRETS}?project=default", None),
        ("POST", SECRETS, {"project": "default"}),
    ],
)
async def test_what_cannot_be_noted_is_not_done(
    server: Running, monkeypatch: pytest.MonkeyPatch, method: str, path: str, body: object
) -> None:
    await send(server, "GET", f"{SECRETS}?project=default")

    async def full(*_: object) -> int:
        raise StorageFull()

    async def all_there_is() -> list[Any]:
        rows = [await database.fetchall(f"SELECT * FROM {table}") for table in tables]
        return rows

    tables = ("project", "api_key", "secret", "ledger")
    database = server.server.use.keys._database
    before = await all_there_is()
    monkeypatch.setattr(ledger, "append_act", full)
    answer = await server.client.request(method, path, json=body)
    assert answer.status_code == 507
    assert "whsec_" not in answer.text and "sk_" not in answer.text
    assert await all_there_is() == before


async def test_owners_leave_receipts_and_no_acts(server: Running) -> None:
    async with noted(server) as made:
        await server.upload(b"x", "media://a.wav")
        await send(server, "DELETE", "/v1/media?url=media://a.wav")
    assert made == []


async def test_each_start_says_by_which_configuration(tmp_path: Path, clock: FakeClock) -> None:
    settings = settings_in(tmp_path)
    key = await install(settings, clock)
    other = settings_in(tmp_path, limits=Limits(queue_length=7))
    for started in (settings, settings, other):
        async with running(started, FakeEngine(), key, clock):
            pass
    found = [act for act in acts(settings.storage.data_dir) if act["act"] == "started"]
    assert {act["actor"] for act in found} == {"server"}
    assert [act["details"] for act in found] == [
        {"version": __version__, "region": "default", "configuration": digest(each)}
        for each in (settings, settings, other)
    ]
    assert digest(other) != digest(settings)


async def test_a_start_on_a_full_disk_is_noted_later(
    tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a server still has to delete."""
    settings = settings_in(tmp_path)
    key = await install(settings, clock)
    note = StartNote.run

    async def full(_: StartNote) -> None:
        raise StorageFull()

    monkeypatch.setattr(StartNote, "run", full)
    async with running(settings, FakeEngine(), key, clock) as server:
        monkeypatch.setattr(StartNote, "run", note)
        tasks = {task.name: task.run for task in server.server.tasks}
        for _ in range(2):
            await tasks["note of the start"]()
    found = [act for act in acts(settings.storage.data_dir) if act["act"] == "started"]
    assert len(found) == 1
