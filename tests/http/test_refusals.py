"""Every way to be refused, with the body that the contract gives it."""

from typing import Any, NamedTuple

import pytest

from onprem.services.keys import Scope
from tests.support.audio import tone
from tests.support.server import Running


class Refusal(NamedTuple):
    """`must` are the fields of `errors`, or the code of an ApiError."""

    body: object
    must: set[str]


INVALID: dict[str, Refusal] = {
    "no url": Refusal({}, {"url"}),
    "url of another kind": Refusal({"url": 3}, {"url"}),
    "a path instead of a url": Refusal({"url": "/tmp/a.wav"}, {"url"}),
    "ftp": Refusal({"url": "ftp://host/a.wav"}, {"url"}),
    "credentials in the url": Refusal({"url": "https://u:p@host/a.wav"}, {"url"}),
    "media that nobody uploaded": Refusal({"url": "media://nobody"}, {"url"}),
    "media url with a forbidden sign": Refusal({"url": "media://a b"}, {"url"}),
    "no speakers": Refusal({"url": "https://h/a", "numSpeakers": 0}, {"numSpeakers"}),
    "half a speaker": Refusal({"url": "https://h/a", "numSpeakers": 1.5}, {"numSpeakers"}),
    "min above max": Refusal(
        {"url": "https://h/a", "minSpeakers": 3, "maxSpeakers": 2}, {"minSpeakers"}
    ),
    "unknown model": Refusal({"url": "https://h/a", "model": "gpt"}, {"model"}),
    "several at once": Refusal(
        {
            "url": "x",
            "exclusive": "yes",
            "transcription": True,
            "transcriptionConfig": {"model": 1},
        },
        {"url", "exclusive", "transcriptionConfig.model"},
    ),
    "a list": Refusal([1], {"body"}),
}


@pytest.mark.parametrize("name", INVALID)
async def test_an_invalid_request_names_its_fields(server: Running, name: str) -> None:
    answer = await server.client.post("/v1/diarize", json=INVALID[name].body)

    assert answer.status_code == 400
    body = answer.json()
    assert set(body) == {"message", "errors"}
    assert body["message"] == "Invalid request"
    assert INVALID[name].must <= {error["field"] for error in body["errors"]}


async def test_a_body_that_is_no_json_is_a_400(server: Running) -> None:
    answer = await server.client.post("/v1/diarize", content=b"{")
    assert answer.status_code == 400
    assert answer.json()["errors"] == [{"field": "body", "message": "Expected a JSON object"}]


def assert_api_error(answer: Any, status: int, code: str) -> None:
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert set(body) == {"requestId", "message", "code"}
    assert body["code"] == code


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer sk_00000000_" + "x" * 43, "Basic abc"])
async def test_a_wrong_key_is_a_401(server: Running, header: str) -> None:
    answer = await server.client.get("/v1/test", headers={"authorization": header})
    assert_api_error(answer, 401, "unauthenticated")


async def test_a_missing_scope_is_a_403_that_names_it(server: Running) -> None:
    key = await server.key(scopes=[Scope.JOBS_READ])
    headers = {"authorization": f"Bearer {key}"}
    answer = await server.client.post("/v1/diarize", json={"url": "https://h/a"}, headers=headers)
    assert_api_error(answer, 403, "scope_missing")
    assert "jobs:write" in answer.json()["message"]


async def test_unknown_paths_methods_and_hosts(server: Running) -> None:
    assert_api_error(await server.client.get("/v1/nothing"), 404, "http_404")
    assert_api_error(await server.client.delete("/v1/test"), 405, "http_405")
    answer = await server.client.get("/v1/test", headers={"host": "evil.example"})
    assert_api_error(answer, 421, "host_not_allowed")


async def test_a_body_beyond_the_limit_is_a_413(server: Running) -> None:
    answer = await server.client.post("/v1/diarize", content=b" " * (3 << 20))
    assert answer.status_code == 413
    assert set(answer.json()) == {"requestId", "message", "code"}


async def test_another_projects_job_media_and_receipts_do_not_exist(server: Running) -> None:
    url = await server.upload(tone(1.0))
    job_id = await server.diarize(url=url)
    await server.create_project("other")
    headers = {"authorization": f"Bearer {await server.key('other')}"}

    for path in (f"/v1/jobs/{job_id}", f"/v1/jobs/{job_id}/receipts"):
        assert_api_error(await server.client.get(path, headers=headers), 404, "not_found")
    answer = await server.client.post("/v1/diarize", json={"url": url}, headers=headers)
    assert answer.status_code == 400


async def test_a_fault_of_ours_is_a_500_without_its_text(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("a transcript in an exception")

    monkeypatch.setattr(type(server.server.use.jobs), "get", broken)
    answer = await server.client.get("/v1/jobs/x")
    assert_api_error(answer, 500, "internal")
    assert "transcript" not in answer.text


async def test_nulls_and_unknown_fields_are_accepted_and_named(server: Running) -> None:
    body = {
        "url": await server.upload(tone(1.0)),
        "model": "precision-2",
        "numSpeakers": None,
        "minSpeakers": None,
        "webhook": "https://example.com/hook",
        "transcriptionConfig": {"vocabulary": ["onprem"]},
        "speechProbability": True,
    }
    answer = await server.client.post("/v1/diarize", json=body)
    assert answer.status_code == 200
    warning = answer.json()["warning"]
    assert "precision-2" in warning and "starter" in warning
    assert "speechProbability, transcriptionConfig.vocabulary, webhook" in warning


async def test_live_streams_are_refused_as_without_access(server: Running) -> None:
    answer = await server.client.post("/v1/live", json={})
    assert_api_error(answer, 403, "streaming_disabled")


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/jobs/x", "/healthz/live"])
async def test_no_answer_is_cached_or_sniffed(server: Running, path: str) -> None:
    answer = await server.client.get(path)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_key_can_be_tested(server: Running) -> None:
    answer = await server.client.get("/v1/test")
    assert answer.json() == {"status": "OK", "message": "Test connection successful"}
    assert "server" not in answer.headers
