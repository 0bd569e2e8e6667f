"""GET /v1/admin/doctor: the server looks at itself while it works."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from onprem.engine import offline
from onprem.services.doctor.finding import Severity
from onprem.store.data_directory import DataDirectory
from tests.support.audio import tone
from tests.support.clock import FakeClock
from tests.support.engine import FakeEngine
from tests.support.rows import change, note_worker_copy
from tests.support.server import Running

FORM = {"model": (None, "whisper-1"), "file": ("a.wav", tone(1.0))}


@pytest.fixture(autouse=True)
def _quiet_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in offline.SWITCHES.items():
        monkeypatch.setenv(name, value)


async def broken(server: Running) -> dict[str, str]:
    """What is broken by code, but for models and modes, which these servers are set up without."""
    report = await report_of(server)
    assert report["serverRuns"] is True
    return {
        finding["code"]: finding["what"]
        for finding in report["findings"]
        if finding["severity"] == Severity.BROKEN and finding["code"] != "model_unusable"
    }


async def report_of(server: Running) -> dict[str, Any]:
    answer = await server.client.get("/v1/admin/doctor", timeout=60)
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    return report


async def test_a_server_at_work_is_not_broken(server: Running, engine: FakeEngine) -> None:
    """A run that computes, one that was canceled and has not stopped, a client on the line, an
    upload that arrives, and one that breaks off."""
    engine.gate.clear()
    engine.deaf = True
    running = await server.diarize(url=await server.upload(tone(1.0)))
    await asyncio.to_thread(engine.started.wait, 20)
    waiting = await server.diarize(url="media://a.wav")
    await server.client.post(f"/v1/jobs/{running}/cancel")
    spoken = asyncio.create_task(server.client.post("/v1/audio/transcriptions", files=FORM))
    link = (await server.client.post("/v1/media/input", json={"url": "media://b"})).json()["url"]
    arrives, rest = asyncio.Event(), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield bytes(1 << 20)
        arrives.set()
        await rest.wait()
        yield b"the end"

    upload = asyncio.create_task(
        server.client.put(link, content=slowly(), headers={"authorization": ""})
    )
    await arrives.wait()
    blobs = DataDirectory(server.settings.storage.data_dir, server.settings.keys_dir).blobs
    async with asyncio.timeout(20):
        while not any(path.stat().st_size > 1 << 20 for path in blobs.iterdir()):
            await asyncio.sleep(0.01)
    assert await broken(server) == {}
    rest.set()
    assert (await upload).status_code == 200
    engine.gate.set()
    assert (await spoken).status_code == 200
    assert (await server.finished(waiting))["status"] == "succeeded"
    assert await broken(server) == {}


async def test_what_breaks_under_a_running_server_is_found(
    server: Running, clock: FakeClock
) -> None:
    job = await server.diarize(url=await server.upload(tone(4.0)))
    await server.finished(job)
    assert await broken(server) == {}
    blobs = server.settings.storage.data_dir / "blobs"
    stray = blobs / ("ab" * 16)
    stray.write_bytes(b"audio")
    assert (await broken(server))["ciphertext_broken"].endswith(f"{stray.name} is no file of ours.")
    stray.unlink()
    note_worker_copy(server, job, b"w" * 16)
    assert await broken(server) == {}
    clock.advance(901)
    found = await broken(server)
    assert "its worker copy has no receipt" in found["receipt_broken"]
    assert "sweep_stale" in found
    await server.server.sweep.run()
    assert "sweep_stale" not in await broken(server)
    clock.advance(49 * 3600)
    assert "deadline_missed" in await broken(server)
    change(server, job, "output_id = NULL")
    assert "job_broken" in await broken(server)


async def test_libraries_that_may_phone_home(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYANNOTE_METRICS_ENABLED", "true")
    assert "PYANNOTE_METRICS_ENABLED" in (await broken(server))["telemetry_enabled"]


async def test_two_who_ask_at_once_are_both_answered(server: Running) -> None:
    first, second = await asyncio.gather(report_of(server), report_of(server))
    assert first == second


async def test_a_clock_that_nobody_vouches_for(server: Running, clock: FakeClock) -> None:
    async def codes() -> set[str]:
        return {finding["code"] for finding in (await report_of(server))["findings"]}

    assert not {"clock_unsynchronised", "clock_ahead", "clock_behind"} & await codes()
    clock.step_wall(-3600)
    assert {"clock_unsynchronised", "clock_ahead"} <= await codes()
    clock.step_wall(7200)
    assert "clock_behind" in await codes()


async def test_the_doctor_changes_nothing(server: Running, tmp_path: Path) -> None:
    await server.upload(tone(4.0))
    folder = server.settings.storage.data_dir

    def files() -> dict[Path, bytes]:
        found = [path for path in folder.rglob("*") if path.is_file()]
        return {path: path.read_bytes() for path in found if "sqlite3-" not in path.name}

    before = files()
    await report_of(server)
    assert files() == before
