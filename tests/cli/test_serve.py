"""`onprem serve`: in which order its parts stop."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from onprem.cli import serve
from onprem.config.settings import Settings


async def test_sweeps_go_on_until_the_run_has_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run may take minutes to stop, and deadlines come meanwhile."""
    stopped: list[str] = []
    stop = asyncio.Event()

    async def run() -> None:
        await stop.wait()
        stopped.append("runner")

    class Schedule:
        def __init__(self, _: Any) -> None:
            pass

        def start(self) -> None:
            pass

        async def stop(self) -> None:
            stopped.append("schedule")

    class HttpServer:
        should_exit = False

        def __init__(self, *_: Any) -> None:
            pass

        async def serve(self, sockets: list[socket.socket]) -> None:
            for each in sockets:
                each.close()
            stopped.append("http")
            asyncio.get_running_loop().call_soon(stop.set)

    @asynccontextmanager
    async def assembled(*_: Any) -> AsyncIterator[Any]:
        use = SimpleNamespace(compliance=None, health=None)
        runner = SimpleNamespace(run=run, stop=stop.set)
        sender = SimpleNamespace(run=stop.wait, stop=lambda: stopped.append("sender"))
        canary = SimpleNamespace(stop=lambda: None)
        yield SimpleNamespace(use=use, tasks=[], runner=runner, sender=sender, canary=canary)

    monkeypatch.setattr(serve, "Schedule", Schedule)
    monkeypatch.setattr(serve, "HttpServer", HttpServer)
    monkeypatch.setattr(serve, "assembled", assembled)
    monkeypatch.setattr(serve, "build_app", lambda *_: None)
    monkeypatch.setattr(serve, "bind", lambda *_: socket.create_server(("127.0.0.1", 0)))
    monkeypatch.setattr(serve, "_dump_no_core", lambda: None)
    monkeypatch.setattr(serve.offline, "switch_off", lambda: None)

    await serve._serve(Settings())

    assert stopped == ["http", "runner", "schedule", "sender"]
