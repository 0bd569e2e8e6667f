"""A whole server in the test's own loop, on a real port, with a real SQLite file."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import msgspec

from onprem.clock import Clock
from onprem.config.settings import Limits, Models, Server as ServerSettings, Settings, Storage
from onprem.http.addresses import Addresses
from onprem.http.app import build_app
from onprem.http.server import HttpServer, bind
from onprem.runner.ports import Engine
from onprem.services.keys import ALL_SCOPES, Keys, Scope
from onprem.services.projects import Projects
from onprem.store.data_directory import MARK, DataDirectory
from onprem.store.database import Database
from onprem.store.new_store import new_store
from onprem.wiring import Server, assembled
from tests.support.clock import FakeClock
from tests.support.people import OPERATOR


class Running:
    """A running server, a client with an all-scopes key of project `default`, and its parts."""

    def __init__(self, server: Server, client: httpx.AsyncClient, settings: Settings) -> None:
        self.server = server
        self.client = client
        self.settings = settings

    async def create_project(self, name: str) -> None:
        """As `onprem projects create` does it, from outside the server."""
        database = Database(self.settings.storage.data_dir / MARK)
        await database.open()
        await Projects(database, FakeClock()).create(name, actor=OPERATOR)
        await database.close()

    async def key(self, project: str = "default", scopes: list[Scope] = ALL_SCOPES) -> str:
        return (await self.server.use.keys.issue(project, "test", scopes, actor=OPERATOR)).secret

    async def upload(self, audio: bytes, url: str = "media://a.wav") -> str:
        answer = await self.client.post("/v1/media/input", json={"url": url})
        assert answer.status_code == 201, answer.text
        put = await self.client.put(
            answer.json()["url"], content=audio, headers={"authorization": ""}
        )
        assert put.status_code == 200, put.text
        return url

    async def diarize(self, **body: object) -> str:
        answer = await self.client.post("/v1/diarize", json=body)
        assert answer.status_code == 200, answer.text
        job_id = answer.json()["jobId"]
        assert isinstance(job_id, str)
        return job_id

    async def job(self, job_id: str) -> dict[str, object]:
        answer = await self.client.get(f"/v1/jobs/{job_id}")
        assert answer.status_code == 200, answer.text
        body: dict[str, object] = answer.json()
        return body

    async def finished(self, job_id: str, seconds: float = 20.0) -> dict[str, object]:
        """The job once it is terminal."""
        async with asyncio.timeout(seconds):
            while True:
                body = await self.job(job_id)
                if body["status"] in ("succeeded", "failed", "canceled"):
                    return body
                await asyncio.sleep(0.02)


def settings_in(folder: Path, **sections: msgspec.Struct) -> Settings:
    """Settings of an installation in `folder`."""
    defaults: dict[str, msgspec.Struct] = {
        "server": ServerSettings(port=0),
        "storage": Storage(data_dir=folder / "data", master_key_file=folder / "master.key"),
        "models": Models(dir=folder / "models"),
        "limits": Limits(),
    }
    return Settings(**(defaults | sections))  # type: ignore[arg-type]


async def install(settings: Settings, clock: Clock) -> str:
    """What `onprem init` does; returns a key of project `default`."""
    assert settings.storage.master_key_file is not None
    directory = DataDirectory(settings.storage.data_dir, settings.keys_dir)
    async with new_store(directory, settings.storage.master_key_file) as database:
        await Projects(database, clock).create("default", actor=OPERATOR)
        issued = await Keys(database, clock).issue("default", "first", ALL_SCOPES, actor=OPERATOR)
    return issued.secret


@asynccontextmanager
async def running(
    settings: Settings, engine: Engine, key: str, clock: Clock | None = None
) -> AsyncIterator[Running]:
    """Serve an installation; at the end the runner is stopped as by SIGTERM."""
    listener = bind(settings.server.host, settings.server.port)
    addresses = Addresses(settings.server, listener.getsockname()[1])
    async with assembled(settings, engine, clock or FakeClock()) as server:
        ready = asyncio.Event()
        http = HttpServer(build_app(server.use, addresses), ready.set)
        serving = asyncio.create_task(http.serve(sockets=[listener]))
        runner = asyncio.create_task(server.runner.run())
        sender = asyncio.create_task(server.sender.run())
        await ready.wait()
        headers = {"authorization": f"Bearer {key}"}
        try:
            async with httpx.AsyncClient(
                base_url=addresses.listening, headers=headers, trust_env=False, timeout=20
            ) as client:
                yield Running(server, client, settings)
        finally:
            server.runner.stop()
            http.should_exit = True
            await serving
            await runner
            server.sender.stop()
            await sender
