"""Jobs whose recording is fetched from a URL: refused where it must be, never kept, never told."""

import asyncio
import logging
from pathlib import Path

import pytest

from onprem.config.settings import Fetch
from tests.support.audio import tone
from tests.support.clock import FakeClock
from tests.support.engine import FakeEngine
from tests.support.server import Running, install, running, settings_in
from tests.support.web_source import serving


async def answer_wav(writer: asyncio.StreamWriter) -> None:
    body = tone(1.0)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/call.wav?token=secret",
        "http://localhost:{port}/call.wav",
        "http://[::ffff:127.0.0.1]:{port}/call.wav",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/a.wav",
    ],
)
async def test_private_destinations_are_refused_unless_allowed(server: Running, url: str) -> None:
    async with serving() as source:
        source.answers["/call.wav"] = answer_wav
        job = await server.finished(await server.diarize(url=url.format(port=source.port)))
        assert source.requests == []
    assert job["status"] == "failed"
    error = job["output"]["error"]  # type: ignore[index]
    assert "Could not load audio" in error and "fetch.allow" in error
    assert "secret" not in error and "call.wav" not in error


async def test_an_allowed_source_is_fetched_and_nothing_of_it_is_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="onprem")
    async with serving() as source:
        source.answers["/path-marker"] = answer_wav
        settings = settings_in(tmp_path, fetch=Fetch(allow=[f"127.0.0.1:{source.port}"]))
        clock = FakeClock()
        key = await install(settings, clock)
        async with running(settings, FakeEngine(), key, clock) as server:
            url = source.url("/path-marker?query-marker")
            job_id = await server.diarize(url=url)
            job = await server.finished(job_id)
            answer = await server.client.get(f"/v1/jobs/{job_id}/receipts")

            assert job["status"] == "succeeded", job
            assert [each["kind"] for each in answer.json()["receipts"]] == [
                "worker_copy",
                "request",
            ]
            assert list((settings.storage.data_dir / "blobs").iterdir()) == []
    for path in tmp_path.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"path-marker" not in content and b"query-marker" not in content, path
    assert "path-marker" not in caplog.text and "query-marker" not in caplog.text


async def test_a_source_that_refuses_is_named_by_host_alone(tmp_path: Path) -> None:
    async def forbidden(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    async with serving() as source:
        source.answers["/expired"] = forbidden
        settings = settings_in(tmp_path, fetch=Fetch(allow=[f"127.0.0.1:{source.port}"]))
        clock = FakeClock()
        key = await install(settings, clock)
        async with running(settings, FakeEngine(), key, clock) as server:
            job = await server.finished(await server.diarize(url=source.url("/expired")))
    error = job["output"]["error"]  # type: ignore[index]
    assert "127.0.0.1" in error and "403" in error and "expired" not in error.split("(")[0]
