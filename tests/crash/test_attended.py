"""kill -9 while a client waits on the line: its recording was in memory, and is gone."""

import threading
import time

import httpx

from tests.crash.conftest import MakeSite
from tests.support.audio import wav
from tests.support.crash import CrashSite
from tests.support.crash_server import SLOW_SAMPLES, TRANSCRIPT

MARKER = bytes(range(100, 164))


def running_job(site: CrashSite) -> str:
    end = time.monotonic() + 20
    while True:
        assert time.monotonic() < end
        for job in site.client.get("/v2/jobs").raise_for_status().json()["items"]:
            if job["status"] == "running":
                return str(job["id"])
        time.sleep(0.02)


def test_a_killed_call_fails_and_leaves_receipts_and_no_sound(make_site: MakeSite) -> None:
    site = make_site()
    assert site.start()
    recording = wav((MARKER * SLOW_SAMPLES)[: 2 * SLOW_SAMPLES])
    broken: list[Exception] = []

    def wait_for_text() -> None:
        form = {"files": {"file": ("a.wav", recording)}, "data": {"model": "whisper-base"}}
        try:
            httpx.post(
                f"{site.client.base_url}/v1/audio/transcriptions",
                headers=dict(site.client.headers),
                trust_env=False,
                timeout=60,
                **form,  # type: ignore[arg-type]
            )
        except httpx.TransportError as error:
            broken.append(error)

    client = threading.Thread(target=wait_for_text)
    client.start()
    job_id = running_job(site)
    assert site.finds(MARKER, TRANSCRIPT.encode()) == []
    site.kill()
    client.join(20)
    assert len(broken) == 1
    assert site.finds(MARKER, TRANSCRIPT.encode()) == []

    assert site.start()
    job = site.client.get(f"/v1/jobs/{job_id}").json()
    assert job["status"] == "failed"
    assert "was in its memory only" in job["output"]["error"]
    receipts = site.client.get(f"/v1/jobs/{job_id}/receipts").json()["receipts"]
    assert [(each["kind"], each["reason"]) for each in receipts] == [
        ("worker_copy", "crash"),
        ("request", "job_ended"),
    ]
    assert site.stop() == 0
    assert site.violations() == []
