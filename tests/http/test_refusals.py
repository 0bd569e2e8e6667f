"""Every way to be refused, with the body that the contract gives it."""

import inspect
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest
from litestar.exceptions import ClientException, InternalServerException
from litestar.handlers import HTTPRouteHandler

from onprem.config.settings import Server as ServerSettings
from onprem.errors import DataDirectoryDamaged, ModelMissing, OnpremError
from onprem.http.addresses import Addresses
from onprem.http.app import ROUTES
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
    "model of another kind": Refusal({"url": "https://h/a", "model": "whisper-base"}, {"model"}),
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


async def test_unknown_paths_and_methods(server: Running) -> None:
    assert_api_error(await server.client.get("/v1/nothing"), 404, "http_404")
    answer = await server.client.delete("/v1/test")
    assert_api_error(answer, 405, "http_405")
    assert "GET" in answer.headers["allow"]


@pytest.mark.parametrize(
    "host",
    ["evil.example", "[::1", "::1]", "evil@localhost", "localhost:http", "localhost:65536"]
    + ["localhost:80@evil.example"],
)
async def test_other_and_broken_hosts(server: Running, host: str) -> None:
    answer = await server.client.get("/v1/test", headers={"host": host})
    assert_api_error(answer, 421, "host_not_allowed")


@pytest.mark.parametrize("host", ["localhost/x", "localhost?", "localhost#a"])
async def test_a_host_with_a_path_is_refused(server: Running, host: str) -> None:
    """litestar does so by itself, before any hook; the check of ours does not rely on it."""
    answer = await server.client.get("/v1/test", headers={"host": host})
    assert answer.status_code == 400
    assert set(answer.json()) == {"message", "errors"}
    for allowed in ([], ["*"]):
        assert not Addresses(ServerSettings(allowed_hosts=allowed), 8400).allows(host)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8400", "127.0.0.1:1", "[::1]:8400"])
async def test_hosts_that_are_ours(server: Running, host: str) -> None:
    assert (await server.client.get("/v1/test", headers={"host": host})).status_code == 200


async def test_a_body_beyond_the_limit_is_a_413(server: Running) -> None:
    async def chunked() -> AsyncIterator[bytes]:
        for _ in range(48):
            yield b" " * (1 << 16)

    for path in ("/v1/diarize", "/v1/media/input"):
        for body in (b" " * (3 << 20), chunked()):
            answer = await server.client.post(path, content=body)
            assert_api_error(answer, 413, "body_too_large")


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.handler_name)
def test_no_route_lets_the_framework_read_a_body(route: HTTPRouteHandler) -> None:
    """It would read without a limit."""
    read = {"data", "body", "form", "json"}
    assert not read & set(inspect.signature(route.fn).parameters)


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


@pytest.mark.parametrize(
    "error",
    [
        ModelMissing(model="own", folder="/srv/secret/models"),
        DataDirectoryDamaged(what="/srv/secret is odd"),
    ],
)
async def test_what_only_the_operator_can_mend_is_for_the_log(
    server: Running,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: OnpremError,
) -> None:
    async def broken(*_: object) -> None:
        raise error

    monkeypatch.setattr(type(server.server.use.jobs), "get", broken)
    answer = await server.client.get("/v1/jobs/x")
    assert_api_error(answer, 500, error.code)
    assert "secret" not in answer.text
    assert f"request {answer.json()['requestId']}: {error.code}: {error}" in caplog.text


async def test_a_fault_of_the_framework_is_a_500_in_the_log(
    server: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object) -> None:
        raise InternalServerException("a transcript in an exception")

    monkeypatch.setattr(type(server.server.use.jobs), "get", broken)
    answer = await server.client.get("/v1/jobs/x")
    assert_api_error(answer, 500, "internal")
    assert f"request {answer.json()['requestId']} broke: InternalServerException" in caplog.text
    assert "transcript" not in caplog.text


async def test_a_400_of_the_framework_has_the_shape_of_ours(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise ClientException("odd", headers={"x-why": "odd"})

    monkeypatch.setattr(type(server.server.use.jobs), "get", broken)
    answer = await server.client.get("/v1/jobs/x")
    assert answer.status_code == 400
    fault = {"field": "request", "message": "This request cannot be understood."}
    assert answer.json() == {"message": "Invalid request", "errors": [fault]}
    assert answer.headers["x-why"] == "odd"


async def test_nulls_and_unknown_fields_are_accepted_and_named(server: Running) -> None:
    body = {
        "url": await server.upload(tone(1.0)),
        "model": "precision-2",
        "numSpeakers": None,
        "minSpeakers": None,
        "targets": ["everybody"],
        "transcriptionConfig": {"beamSize": 5},
        "colour": "blue",
    }
    answer = await server.client.post("/v1/diarize", json=body)
    assert answer.status_code == 200
    warning = answer.json()["warning"]
    assert "precision-2" in warning and "starter" in warning
    assert "colour, targets, transcriptionConfig.beamSize" in warning


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
