"""An installation that has been used, whose server can be started here and elsewhere."""

import asyncio
import secrets
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from onprem.config.settings import Retention, Runner, Settings, Webhooks
from onprem.core.speech import Turn
from onprem.runner import wake
from tests.support.audio import wav
from tests.support.backups import directory_of
from tests.support.clock import FakeClock
from tests.support.engine import FakeEngine
from tests.support.server import Running, install, running, settings_in
from tests.support.voices import install_starter_manifests

NOBODY = "127.0.0.1:9"
"""An address that refuses connections."""
MARKERS = (
    *("media-name-marker", "url-marker", "webhook-marker", "label-marker", "speaker-marker"),
    "idempotency-marker",
)


class Site:
    """An installation, and what was done with it."""

    def __init__(self, settings: Settings, key: str, clock: FakeClock, engine: FakeEngine) -> None:
        self.settings = settings
        self.clock = clock
        self.engine = engine
        self.jobs: dict[str, str] = {}
        self.audio = secrets.token_bytes(128_000)  # four seconds
        self._key = key

    @property
    def anchors(self) -> Path:
        """Where it brings its checkpoints."""
        assert self.settings.retention.checkpoint_file is not None
        return self.settings.retention.checkpoint_file

    @asynccontextmanager
    async def running(self, settings: Settings | None = None) -> AsyncIterator[Running]:
        async with running(settings or self.settings, self.engine, self._key, self.clock) as server:
            yield server
            self.engine.gate.set()

    async def use(self, server: Running) -> None:
        """A job of each sort; those that have not ended stay so until the gate is opened."""
        media = await server.upload(wav(self.audio), "media://media-name-marker.wav")
        self.engine.turns = [Turn("speaker-marker", 0.0, 4.0)]
        self.engine.voices = {"speaker-marker": [1.0, 0.0, 0.0]}
        self.jobs["failed"] = await server.diarize(url=f"http://{NOBODY}/url-marker.wav")
        answer = await server.client.post("/v1/voiceprint", json={"url": media})
        voiceprint = await server.finished(answer.json()["jobId"])
        hook = f"http://{NOBODY}/webhook-marker"
        self.jobs["done"] = await server.diarize(url=media, webhook=hook, transcription=True)
        for name in ("failed", "done"):
            await server.finished(self.jobs[name])
        await self._edit(server)
        self.engine.started.clear()
        self.engine.gate.clear()
        self.jobs["running"] = await server.diarize(url=media, webhook=hook)
        await asyncio.to_thread(self.engine.started.wait, 10)
        output: Any = voiceprint["output"]
        prints = [{"label": "label-marker", "voiceprint": output["voiceprint"]}]
        answer = await server.client.post(
            "/v1/identify",
            json={"url": media, "voiceprints": prints},
            headers={"idempotency-key": "idempotency-marker"},
        )
        assert answer.status_code == 200, answer.text
        self.jobs["waiting"] = answer.json()["jobId"]

    async def _edit(self, server: Running) -> None:
        path = f"/v1/jobs/{self.jobs['done']}/edits"
        body = {"speakers": {"speaker-marker": "label-marker"}}
        assert (await server.client.put(path, json=body)).status_code == 200

    def ciphertexts(self) -> list[bytes]:
        """The beginning of everything that is stored, and every record key as it is wrapped."""
        directory = directory_of(self.settings)
        with closing(sqlite3.connect(directory.database)) as database:
            rows = database.execute("SELECT sealed FROM artefact WHERE sealed IS NOT NULL")
            found = [row[0][:64] for row in rows]
        found += [path.read_bytes()[:64] for path in directory.blobs.iterdir()]
        slots = directory.slots.read_bytes()
        keys = [slots[start + 16 : start + 56] for start in range(0, len(slots), 64)]
        return found + [key for key in keys if any(key)]


@pytest.fixture
async def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setattr(wake, "POLL_SECONDS", 0.02)
    folder = tmp_path / "site"
    folder.mkdir()
    settings = settings_in(
        folder,
        webhooks=Webhooks(allow=[NOBODY]),
        retention=Retention(checkpoint_file=tmp_path / "anchors.jsonl"),
        runner=Runner(jobs_in_work=1),
    )
    install_starter_manifests(settings.models_dir)
    clock = FakeClock()
    return Site(settings, await install(settings, clock), clock, FakeEngine())
