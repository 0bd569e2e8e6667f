"""A running server that may send to a receiver on loopback."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from onprem.config.settings import Webhooks
from onprem.runner import wake
from tests.support.clock import FakeClock
from tests.support.engine import FakeEngine
from tests.support.receiver import Receiver, receiving
from tests.support.server import Running, install, running, settings_in

Start = Callable[..., AbstractAsyncContextManager[Running]]
"""Starts the server, with sections of its settings as keywords."""


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def clock() -> FakeClock:
    """At the real time: receivers refuse what is older than five minutes."""
    return FakeClock(float(int(time.time())))


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
def start(
    tmp_path: Path,
    engine: FakeEngine,
    clock: FakeClock,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> Start:
    monkeypatch.setattr(wake, "POLL_SECONDS", 0.02)
    keys: list[str] = []

    @asynccontextmanager
    async def started(**sections: msgspec.Struct) -> AsyncIterator[Running]:
        allowed = {"webhooks": Webhooks(allow=[receiver.rule])}
        settings = settings_in(tmp_path / "server", **(allowed | sections))
        if not keys:
            (tmp_path / "server").mkdir()
            keys.append(await install(settings, clock))
        async with running(settings, engine, keys[0], clock) as server:
            yield server

    return started


@pytest.fixture
async def server(start: Start) -> AsyncIterator[Running]:
    async with start() as server:
        yield server
