"""`GET /v2/jobs` with its cursor, and `GET /v1/jobs` by number."""

import uuid

import pytest

from onprem.services.keys import Scope
from tests.support.audio import tone
from tests.support.engine import FakeEngine
from tests.support.server import Running


@pytest.fixture
async def five(server: Running, engine: FakeEngine) -> list[str]:
    """Ids of jobs, the newest first; the oldest one runs, the last two wait."""
    engine.gate.clear()
    url = await server.upload(tone(1.0))
    ids = [await server.diarize(url=url) for _ in range(5)]
    return ids[::-1]


async def pages(server: Running, **query: object) -> list[list[str]]:
    """All pages, from the first to the last."""
    found, cursor = [], None
    while True:
        asked = query if cursor is None else {**query, "cursor": cursor}
        answer = await server.client.get("/v2/jobs", params=asked)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert set(body) == {"items", "nextCursor"}
        found.append([item["id"] for item in body["items"]])
        cursor = body["nextCursor"]
        if cursor is None:
            return found
        uuid.UUID(cursor)


@pytest.mark.parametrize(("limit", "sizes"), [(1, [1] * 5), (2, [2, 2, 1]), (5, [5]), (100, [5])])
async def test_pages_are_the_newest_first_and_each_job_is_in_one(
    server: Running, five: list[str], limit: int, sizes: list[int]
) -> None:
    found = await pages(server, limit=limit)
    assert [len(page) for page in found] == sizes
    assert [job_id for page in found for job_id in page] == five


async def test_an_item_is_as_in_the_contract(server: Running, five: list[str]) -> None:
    (item, *_) = (await server.client.get("/v2/jobs")).json()["items"]
    assert set(item) == {"id", "status", "createdAt"}
    assert item == {
        "id": five[0],
        "status": "created",
        "createdAt": (await server.job(five[0]))["createdAt"],
    }


async def test_without_jobs_a_page_is_empty(server: Running) -> None:
    answer = await server.client.get("/v2/jobs")
    assert answer.text == '{"items":[],"nextCursor":null}'
    assert (await server.client.get("/v1/jobs")).json() == {"items": [], "total": 0}


async def test_jobs_of_one_status(server: Running, engine: FakeEngine, five: list[str]) -> None:
    canceled = five[0]
    assert (await server.client.post(f"/v1/jobs/{canceled}/cancel")).status_code == 200
    assert await pages(server, status="canceled") == [[canceled]]
    assert await pages(server, status="succeeded") == [[]]
    engine.gate.set()
    for job_id in five:
        await server.finished(job_id)
    assert await pages(server, status="succeeded", limit=2) == [five[1:3], five[3:5]]
    by_number = await server.client.get("/v1/jobs", params={"status": "succeeded", "take": 1})
    assert [item["id"] for item in by_number.json()["items"]] == five[1:2]
    assert by_number.json()["total"] == 4


async def test_a_page_goes_on_behind_a_job_that_was_deleted_meanwhile(
    server: Running, five: list[str]
) -> None:
    cursor = (await server.client.get("/v2/jobs?limit=2")).json()["nextCursor"]
    assert cursor == five[1]
    assert (await server.client.delete(f"/v1/jobs/{cursor}")).status_code == 204
    rest = (await server.client.get("/v2/jobs", params={"cursor": cursor})).json()
    assert [item["id"] for item in rest["items"]] == five[2:]
    assert await pages(server) == [[five[0], *five[2:]]]


async def test_jobs_by_number(server: Running, five: list[str]) -> None:
    async def listed(query: str) -> list[str]:
        answer = await server.client.get(f"/v1/jobs{query}")
        assert answer.status_code == 200, answer.text
        assert answer.json()["total"] == 5
        for item in answer.json()["items"]:
            assert set(item) == {"jobId", "id", "status", "createdAt"}
            assert item["jobId"] == item["id"]
        return [item["id"] for item in answer.json()["items"]]

    assert await listed("") == five
    assert await listed("?take=2") == five[:2]
    assert await listed("?take=2&skip=3") == five[3:]
    assert await listed("?limit=2&offset=1") == five[1:3]
    assert await listed("?take=1&limit=9&skip=0&offset=9") == five[:1]
    assert await listed("?skip=99") == []


WRONG = {
    "/v2/jobs": ["limit=0", "limit=101", "limit=ten", "limit=", "limit=1.5", "cursor=x"]
    + [f"cursor={uuid.UUID(int=1)}", "status=done", "status="],
    "/v1/jobs": ["take=0", "take=101", "skip=-1", "skip=x", "limit=0", "offset=-1", "status=done"],
}


@pytest.mark.parametrize("query", [f"{path}?{each}" for path in WRONG for each in WRONG[path]])
async def test_a_wrong_parameter_is_a_400_that_names_it(server: Running, query: str) -> None:
    answer = await server.client.get(query)
    assert answer.status_code == 400, answer.text
    body = answer.json()
    assert body["message"] == "Invalid request"
    assert [error["field"] for error in body["errors"]] == [query.split("?")[1].split("=")[0]]


async def test_a_list_holds_jobs_of_the_own_project_only(server: Running, five: list[str]) -> None:
    await server.create_project("other")
    headers = {"authorization": f"Bearer {await server.key('other')}"}
    for path, total in (("/v2/jobs", {"nextCursor": None}), ("/v1/jobs", {"total": 0})):
        answer = await server.client.get(path, headers=headers)
        assert answer.json() == {"items": [], **total}
    answer = await server.client.get(f"/v2/jobs?cursor={five[0]}", headers=headers)
    assert answer.status_code == 400


@pytest.mark.parametrize("path", ["/v1/jobs", "/v2/jobs"])
async def test_a_list_needs_jobs_read(server: Running, path: str) -> None:
    key = await server.key(scopes=[Scope.JOBS_WRITE])
    answer = await server.client.get(path, headers={"authorization": f"Bearer {key}"})
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
