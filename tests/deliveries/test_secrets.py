"""Webhook secrets: shown to the operator, rotated with overlap, kept wrapped."""

import hashlib
import hmac
import sqlite3
from contextlib import closing
from typing import Any

import pytest
from standardwebhooks import Webhook

from onprem.services.keys import Scope
from onprem.store.data_directory import MARK
from tests.support.clock import FakeClock
from tests.support.deliveries import submitted
from tests.support.receiver import Receiver, Request
from tests.support.server import Running

PATH = "/v1/admin/webhook-secrets"


async def shown(server: Running, project: str = "default") -> list[dict[str, Any]]:
    answer = await server.client.get(PATH, params={"project": project})
    assert answer.status_code == 200, answer.text
    secrets: list[dict[str, Any]] = answer.json()["secrets"]
    return secrets


async def rotate(server: Running, **body: str) -> list[dict[str, Any]]:
    answer = await server.client.post(PATH, json={"project": "default", **body})
    assert answer.status_code == 201, answer.text
    secrets: list[dict[str, Any]] = answer.json()["secrets"]
    return secrets


def stored(server: Running) -> int:
    """How many webhook secrets the database holds."""
    with closing(sqlite3.connect(server.settings.storage.data_dir / MARK)) as connection:
        count = connection.execute("SELECT count(*) FROM secret WHERE purpose = 'webhook'")
        return int(count.fetchone()[0])


def of_the_contract(secret: str, request: Request) -> str:
    signed = f"v0:{request.headers['x-request-timestamp']}:{request.body.decode()}"
    return hmac.new(secret.encode(), signed.encode(), hashlib.sha256).hexdigest()


async def test_a_project_has_one_from_the_first_look_on(server: Running) -> None:
    (first,) = await shown(server)
    assert first["secret"].startswith("whsec_") and "retiresAt" not in first
    assert await shown(server) == [first]
    await server.create_project("other")
    assert (await shown(server, "other"))[0]["secret"] != first["secret"]


async def test_a_rotation_has_an_overlap(
    server: Running, receiver: Receiver, clock: FakeClock
) -> None:
    (old,) = await shown(server)
    new, still = await rotate(server, overlap="2h")
    assert still["secret"] == old["secret"] != new["secret"]
    assert "retiresAt" in still and "retiresAt" not in new

    await submitted(server, webhook=receiver.url())
    (request,) = await receiver.got(1)
    for secret in (old["secret"], new["secret"]):
        Webhook(secret).verify(request.body, request.headers)
    assert request.headers["x-signature"] == of_the_contract(new["secret"], request)
    assert request.headers["x-signature-previous"] == of_the_contract(old["secret"], request)

    clock.advance(2 * 3600)
    assert await shown(server) == [new]
    await server.server.sweep.run()
    assert stored(server) == 1
    await submitted(server, webhook=receiver.url())
    request = (await receiver.got(2))[1]
    assert len(request.headers["webhook-signature"].split(" ")) == 1
    assert "x-signature-previous" not in request.headers


async def test_without_overlap_the_old_one_ends_at_once(server: Running) -> None:
    (old,) = await shown(server)
    (new,) = await rotate(server, overlap="0")
    assert new["secret"] != old["secret"]


async def test_a_second_rotation_leaves_the_first_one_s_end_as_it_was(server: Running) -> None:
    await shown(server)
    _, first = await rotate(server, overlap="1h")
    _, second, same = await rotate(server, overlap="3h")
    assert same == first and second["retiresAt"] > first["retiresAt"]


@pytest.mark.parametrize("overlap", ["soon", "31d", "-1h"])
async def test_an_overlap_that_makes_no_sense_rotates_nothing(
    server: Running, overlap: str
) -> None:
    before = await shown(server)
    answer = await server.client.post(PATH, json={"project": "default", "overlap": overlap})
    assert answer.status_code == 400
    assert [fault["field"] for fault in answer.json()["errors"]] == ["overlap"]
    assert await shown(server) == before


async def test_only_the_operator_sees_them(server: Running) -> None:
    scopes = [scope for scope in Scope if scope is not Scope.ADMIN]
    headers = {"authorization": f"Bearer {await server.key(scopes=scopes)}"}
    for method in ("GET", "POST"):
        answer = await server.client.request(
            method,
            PATH,
            params={"project": "default"},
            json={"project": "default"},
            headers=headers,
        )
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")


async def test_refusals(server: Running) -> None:
    answer = await server.client.get(PATH)
    assert [fault["field"] for fault in answer.json()["errors"]] == ["project"]
    answer = await server.client.get(PATH, params={"project": "nobody's"})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    answer = await server.client.post(PATH, json={"project": "nobody's"})
    assert answer.status_code == 404


async def test_no_file_holds_one_in_plaintext(server: Running) -> None:
    (first,) = await shown(server)
    for path in server.settings.storage.data_dir.rglob("*"):
        if path.is_file():
            assert first["secret"].encode() not in path.read_bytes()
