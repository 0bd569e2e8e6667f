"""Downloads: a link that gives back what was uploaded, for the hour and until the deadline."""

import asyncio
import logging
import secrets

import httpx
import pytest

from onprem.services import downloads
from onprem.services.keys import Scope
from onprem.store.seal import SEGMENT
from tests.support.audio import tone
from tests.support.clock import FakeClock
from tests.support.server import Running

CONTENT = secrets.token_bytes(2 * SEGMENT + 1234)


async def link(server: Running, url: str = "media://a.wav") -> str:
    answer = await server.client.post("/v1/media/output", json={"url": url})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["url"])


async def fetch(server: Running, url: str, **headers: str) -> httpx.Response:
    return await server.client.get(url, headers={"authorization": "", **headers})


@pytest.mark.parametrize("content", [CONTENT, CONTENT[:SEGMENT], b"x", b""], ids=len)
async def test_what_was_uploaded_comes_back_any_number_of_times(
    server: Running, content: bytes
) -> None:
    await server.upload(content, "media://calls/monday.wav")
    url = await link(server, "media://calls/monday.wav")
    assert url.startswith(f"{server.client.base_url}".rstrip("/") + "/v1/media/download/")
    for _ in range(2):
        answer = await fetch(server, url)
        assert answer.status_code == 200
        assert answer.content == content
    assert answer.headers["content-length"] == str(len(content))
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == 'attachment; filename="monday.wav"'
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("key", "name"), [("a", "a"), ("x/..", "media"), ("x/", "media"), ("x/.a.wav", "a.wav")]
)
async def test_a_file_name_is_harmless(server: Running, key: str, name: str) -> None:
    await server.upload(b"x", f"media://{key}")
    answer = await fetch(server, await link(server, f"media://{key}"))
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'


@pytest.mark.parametrize(
    ("wanted", "first", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-", 0, len(CONTENT)),
        (f"bytes={SEGMENT - 1}-{SEGMENT}", SEGMENT - 1, SEGMENT + 1),
        (f"bytes={2 * SEGMENT}-", 2 * SEGMENT, len(CONTENT)),
        (f"bytes={SEGMENT}-{2 * SEGMENT - 1}", SEGMENT, 2 * SEGMENT),
        ("bytes=-10", len(CONTENT) - 10, len(CONTENT)),
    ],
)
async def test_players_get_the_range_that_they_ask_for(
    server: Running, wanted: str, first: int, stop: int
) -> None:
    await server.upload(CONTENT)
    answer = await fetch(server, await link(server), range=wanted)
    whole = (first, stop) == (0, len(CONTENT))
    assert answer.status_code == (200 if whole else 206)
    assert answer.content == CONTENT[first:stop]
    if not whole:
        assert answer.headers["content-range"] == f"bytes {first}-{stop - 1}/{len(CONTENT)}"


async def test_a_range_behind_the_end_is_a_416(server: Running) -> None:
    await server.upload(b"0123456789")
    answer = await fetch(server, await link(server), range="bytes=10-")
    assert answer.status_code == 416
    assert answer.json()["code"] == "range_not_satisfiable"
    assert answer.headers["content-range"] == "bytes */10"


async def test_a_range_of_an_older_version_is_not_mixed_with_the_newer(server: Running) -> None:
    await server.upload(b"older")
    url = await link(server)
    tag = (await fetch(server, url)).headers["etag"]
    again = await fetch(server, url, range="bytes=1-2", **{"if-range": tag})
    assert (again.status_code, again.content) == (206, b"ld")
    await server.upload(b"newer")
    mixed = await fetch(server, url, range="bytes=1-2", **{"if-range": tag})
    assert (mixed.status_code, mixed.content) == (200, b"newer")


async def test_a_forged_expired_or_borrowed_link_is_refused(
    server: Running, clock: FakeClock
) -> None:
    await server.upload(b"x")
    url = await link(server)
    upload = (await server.client.post("/v1/media/input", json={"url": "media://a.wav"})).json()
    borrowed = upload["url"].replace("/upload/", "/download/")
    forged = url[:-1] + ("A" if url[-1] != "A" else "B")
    clock.advance(3599)
    assert (await fetch(server, url)).status_code == 200
    for wrong in (borrowed, forged):
        assert (await fetch(server, wrong)).json()["code"] == "download_link_invalid"
    clock.advance(1)
    expired = await fetch(server, url)
    assert (expired.status_code, expired.json()["code"]) == (403, "download_link_invalid")
    put = await server.client.put(url.replace("/download/", "/upload/"), content=b"x")
    assert put.json()["code"] == "upload_link_invalid"


@pytest.mark.parametrize("url", ["media://nobody", "media://a b", "a.wav"])
async def test_what_is_not_there_gets_no_link(server: Running, url: str) -> None:
    answer = await server.client.post("/v1/media/output", json={"url": url})
    assert answer.status_code == 400
    assert {error["field"] for error in answer.json()["errors"]} == {"url"}


async def test_a_link_is_dead_at_the_deadline_of_its_media(
    server: Running, clock: FakeClock
) -> None:
    await server.upload(b"x")
    clock.advance(48 * 3600 - 1)
    url = await link(server)
    assert (await fetch(server, url)).status_code == 200
    clock.advance(1)
    gone = await fetch(server, url)
    assert (gone.status_code, gone.json()["code"]) == (410, "media_gone")
    assert (await server.client.post("/v1/media/output", json={"url": "media://a.wav"})).is_error


async def test_a_link_is_dead_once_its_media_is_deleted(server: Running) -> None:
    await server.upload(b"x")
    url = await link(server)
    await server.client.delete("/v1/media", params={"url": "media://a.wav"})
    assert (await fetch(server, url)).status_code == 410


@pytest.mark.parametrize("end", ["deadline", "deletion"])
async def test_a_download_under_way_breaks_off(
    server: Running,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    end: str,
) -> None:
    """After the first piece; the length that was announced shows that it is not the whole."""
    await server.upload(CONTENT)
    url = await link(server)
    lives, asked = downloads.media.lives, []

    async def then_ended(*arguments: object, now: float) -> bool:
        asked.append(now)
        if len(asked) == 2 and end == "deadline":
            clock.advance(48 * 3600)
        elif len(asked) == 2:
            await server.client.delete("/v1/media", params={"url": "media://a.wav"})
        return await lives(*arguments, now=clock.now())  # type: ignore[arg-type]

    monkeypatch.setattr(downloads.media, "lives", then_ended)
    received = b""
    with pytest.raises(httpx.RemoteProtocolError):
        async with server.client.stream("GET", url) as answer:
            assert answer.headers["content-length"] == str(len(CONTENT))
            async for piece in answer.aiter_bytes():
                received += piece
    assert received == CONTENT[: len(received)]
    assert len(received) <= SEGMENT
    assert not [each for each in caplog.records if each.exc_info]


async def test_a_client_that_goes_away_ends_the_reading(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    await server.upload(bytes(40 * SEGMENT))
    url = await link(server)
    lives, asked = downloads.media.lives, []

    async def counted(*arguments: object, now: float) -> bool:
        asked.append(now)
        return await lives(*arguments, now=now)  # type: ignore[arg-type]

    monkeypatch.setattr(downloads.media, "lives", counted)
    host, port = server.client.base_url.host, server.client.base_url.port
    _, writer = await asyncio.open_connection(host, port, limit=1)
    path = url.removeprefix(str(server.client.base_url).rstrip("/"))
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    async with asyncio.timeout(10):
        while not asked:
            await asyncio.sleep(0.01)
    writer.transport.abort()
    async with asyncio.timeout(10):
        while any(_answers(task) for task in asyncio.all_tasks()):
            await asyncio.sleep(0.01)
    assert len(asked) < 40


def _answers(task: asyncio.Task[object]) -> bool:
    return getattr(task.get_coro(), "__qualname__", "") == "RequestResponseCycle.run_asgi"


async def test_links_ask_for_the_scope_and_downloads_for_no_key(server: Running) -> None:
    await server.upload(tone(1.0))
    headers = {"authorization": f"Bearer {await server.key(scopes=[Scope.MEDIA_WRITE])}"}
    body = {"url": "media://a.wav"}
    refused = await server.client.post("/v1/media/output", json=body, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")


async def test_neither_links_nor_names_are_logged(
    server: Running, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "onprem")
    await server.upload(b"x", "media://a-customers-name.wav")
    url = await link(server, "media://a-customers-name.wav")
    await fetch(server, url)
    await server.client.delete("/v1/media", params={"url": "media://a-customers-name.wav"})
    await fetch(server, url)
    assert "a-customers-name" not in caplog.text
    assert url.rpartition("/")[2] not in caplog.text
