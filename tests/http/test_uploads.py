"""Uploads: one link, one PUT, ciphertext only, nothing left of what breaks off."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from onprem.config.quantities import ByteSize
from onprem.config.settings import Limits
from tests.support.audio import tone
from tests.support.clock import FakeClock
from tests.support.engine import FakeEngine
from tests.support.server import Running, install, running, settings_in


async def link(server: Running, url: str = "media://a.wav") -> str:
    answer = await server.client.post("/v1/media/input", json={"url": url})
    assert answer.status_code == 201
    return str(answer.json()["url"])


def files(server: Running) -> list[Path]:
    return list((server.settings.storage.data_dir / "blobs").iterdir())


async def test_a_link_is_absolute_and_serves_once(server: Running) -> None:
    url = await link(server)
    assert url.startswith(str(server.client.base_url))
    assert (await server.client.put(url, content=tone(1.0))).status_code == 200
    again = await server.client.put(url, content=tone(1.0))
    assert again.status_code == 409
    assert again.json()["code"] == "upload_link_used"
    assert len(files(server)) == 1


async def test_a_forged_or_expired_link_is_refused(server: Running, clock: FakeClock) -> None:
    url = await link(server)
    forged = await server.client.put(url[:-1] + ("A" if url[-1] != "A" else "B"), content=b"x")
    assert forged.status_code == 403
    clock.advance(3601)
    expired = await server.client.put(url, content=b"x")
    assert expired.json()["code"] == "upload_link_invalid"
    assert files(server) == []


async def test_nothing_of_an_upload_is_readable_on_the_disk(server: Running) -> None:
    audio = b"RIFF a marker that nobody must find" * 50_000
    await server.upload(audio)
    (blob,) = files(server)
    assert blob.stat().st_size > len(audio)
    for path in server.settings.storage.data_dir.rglob("*"):
        if path.is_file():
            assert b"a marker that nobody" not in path.read_bytes(), path


async def test_an_upload_beyond_the_limit_leaves_nothing(tmp_path: Path) -> None:
    limits = Limits(media_size=ByteSize.parse("1MiB"))
    settings = settings_in(tmp_path, limits=limits)
    clock = FakeClock()
    key = await install(settings, clock)
    async with running(settings, FakeEngine(), key, clock) as server:

        async def body() -> AsyncIterator[bytes]:
            for _ in range(17):
                yield bytes(64 * 1024)

        declared = await server.client.put(await link(server), content=bytes((1 << 20) + 1))
        streamed = await server.client.put(await link(server), content=body())

        assert declared.status_code == streamed.status_code == 413
        assert streamed.json()["code"] == "media_too_large"
        assert files(server) == []


async def test_an_upload_that_breaks_off_leaves_nothing_and_the_link_serves_on(
    server: Running,
) -> None:
    url = await link(server)
    host, port = server.client.base_url.host, server.client.base_url.port
    reader, writer = await asyncio.open_connection(host, port)
    path = url.removeprefix(str(server.client.base_url).rstrip("/"))
    writer.write(f"PUT {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 9999999\r\n\r\n".encode())
    writer.write(bytes(3_000_000))
    await writer.drain()
    async with asyncio.timeout(5):
        while not files(server):
            await asyncio.sleep(0.01)
    writer.close()
    await writer.wait_closed()
    async with asyncio.timeout(5):
        while files(server):
            await asyncio.sleep(0.01)
    assert (await server.client.put(url, content=tone(1.0))).status_code == 200


async def test_a_new_version_replaces_the_old_one_but_not_under_a_job(
    server: Running, engine: FakeEngine
) -> None:
    engine.gate.clear()
    url = await server.upload(tone(1.0))
    bound = await server.diarize(url=url)
    await asyncio.to_thread(engine.started.wait, 10)
    await server.upload(tone(3.0))
    assert len(files(server)) == 2
    engine.gate.set()
    await server.finished(bound)
    later = await server.diarize(url=url)
    await server.finished(later)

    assert [samples for _, samples in engine.heard] == [16_000, 48_000]
    await server.server.sweep.run()
    assert len(files(server)) == 1


async def test_media_is_gone_at_its_deadline(server: Running, clock: FakeClock) -> None:
    url = await server.upload(tone(1.0))
    clock.advance(48 * 3600)
    answer = await server.client.post("/v1/diarize", json={"url": url})
    assert answer.status_code == 400
    assert len(files(server)) == 1
    await server.server.sweep.run()
    assert files(server) == []
