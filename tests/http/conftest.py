"""A running server for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.clock import FakeClock
from tests.support.engine import FakeEngine
from tests.support.server import Running, install, running, settings_in


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def server(tmp_path: Path, engine: FakeEngine, clock: FakeClock) -> AsyncIterator[Running]:
    settings = settings_in(tmp_path)
    key = await install(settings, clock)
    async with running(settings, engine, key, clock) as server:
        yield server
        engine.gate.set()  # a run that takes no cancel must not keep the server from its end
