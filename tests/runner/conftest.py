"""An installation that a test can start, stop and start again."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from onprem.runner import wake
from onprem.services.invariants import check_invariants
from onprem.store.data_directory import DataDirectory
from tests.support.clock import FakeClock
from tests.support.engine import FakeEngine
from tests.support.server import Running, install, running, settings_in

Start = Callable[..., AbstractAsyncContextManager[Running]]
"""Starts the server, perhaps with another engine, and with sections of its settings as keywords."""


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def start(
    tmp_path: Path, engine: FakeEngine, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> Start:
    """Each stop is followed by a check that the data directory keeps all promises."""
    monkeypatch.setattr(wake, "POLL_SECONDS", 0.05)
    keys: list[str] = []

    @asynccontextmanager
    async def started(
        engine: FakeEngine = engine, **sections: msgspec.Struct
    ) -> AsyncIterator[Running]:
        settings = settings_in(tmp_path, **sections)
        if not keys:
            keys.append(await install(settings, clock))
        async with running(settings, engine, keys[0], clock) as server:
            yield server
        directory = DataDirectory(settings.storage.data_dir, settings.keys_dir)
        assert await check_invariants(directory, clock.now(), allowed_attempts=3) == []

    return started


@pytest.fixture
async def server(start: Start) -> AsyncIterator[Running]:
    async with start() as server:
        yield server
