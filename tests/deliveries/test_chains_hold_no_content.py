"""Ledger and access log are kept for years: no text that somebody chose or said is in them."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from onprem.core.speech import Turn, Word
from tests.support.audio import tone
from tests.support.deliveries import tried
from tests.support.engine import FakeEngine
from tests.support.entries import accesses, acts
from tests.support.receiver import Receiver
from tests.support.server import Running
from tests.support.voices import install_starter_manifests

MARK = "zanzibar"
"""Stands in each name, URL, label and word below."""


def chains(server: Running) -> dict[str, list[Any]]:
    path: Path = server.settings.storage.data_dir / "onprem.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        return {
            table: connection.execute(f"SELECT * FROM {table}").fetchall()
            for table in ("ledger", "access_log")
        }


async def test_no_mark_is_in_either_chain(
    server: Running, receiver: Receiver, engine: FakeEngine
) -> None:
    install_starter_manifests(server.settings.models_dir)
    engine.words = [Word(0.1, 0.5, f" {MARK}-said")]
    engine.turns = [Turn("SPEAKER_00", 0.0, 3.0)]
    await operated(server)
    media = await server.upload(tone(3.0), f"media://{MARK}-media")
    voiceprint = await ended(server, "/v1/voiceprint", url=media)
    known = {"label": f"{MARK}-label", "voiceprint": voiceprint["output"]["voiceprint"]}
    hook = receiver.url(f"/{MARK}-hook")
    identified = await ended(server, "/v1/identify", url=media, voiceprints=[known], webhook=hook)
    deliver = {"url": receiver.url(f"/{MARK}-put"), "format": "vtt"}
    job = await ended(server, "/v1/diarize", url=media, transcription=True, deliver=deliver)
    for each in (identified, job):
        assert MARK in str(each["output"])
        await tried(server, each["jobId"], 1)
    await read(server, job["jobId"], media)
    for address in (f"/v1/jobs/{job['jobId']}", f"/v1/media?url={media}"):
        assert (await server.client.delete(address)).is_success
    found = chains(server)
    assert len(acts(server.settings.storage.data_dir)) == 7  # three of them at the start
    assert {entry["means"] for entry in accesses(server)} == {"api", "webhook", "deliver", "openai"}
    assert MARK not in str(found).lower()


async def operated(server: Running) -> None:
    """What an administrator names: projects, keys."""
    for path, body in [
        ("/v1/admin/projects", {"name": f"{MARK}-project"}),
        ("/v1/admin/keys", {"name": f"{MARK}-key", "project": f"{MARK}-project"}),
        ("/v1/admin/webhook-secrets", {"project": f"{MARK}-project"}),
    ]:
        assert (await server.client.post(path, json=body)).is_success
    path = f"/v1/admin/projects/{MARK}-project"
    assert (await server.client.patch(path, json={"queuedJobs": 5})).is_success


async def read(server: Running, job_id: str, media: str) -> None:
    """By every way that shows content."""
    edits = {"speakers": {"SPEAKER_00": f"{MARK}-name"}}
    path = f"/v1/jobs/{job_id}"
    assert (await server.client.put(f"{path}/edits", json=edits)).is_success
    for address in (path, f"{path}/edits", f"{path}/output", f"{path}/output?format=vtt"):
        answer = await server.client.get(address)
        assert MARK in answer.text
    link = await server.client.post("/v1/media/output", json={"url": media})
    assert (await server.client.get(link.json()["url"])).is_success
    form = {"model": "whisper-base", "prompt": MARK}
    spoken = await server.client.post(
        "/v1/audio/transcriptions", files={"file": (f"{MARK}.wav", tone(1.0))}, data=form
    )
    assert MARK in spoken.text


async def ended(server: Running, path: str, **body: Any) -> dict[str, Any]:
    answer = await server.client.post(path, json=body)
    assert answer.is_success, answer.text
    job: dict[str, Any] = await server.finished(answer.json()["jobId"])
    assert job["status"] == "succeeded", job
    return job
