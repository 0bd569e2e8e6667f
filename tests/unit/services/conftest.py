"""An open store and a clock for each test of a service."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.clock import FakeClock
from tests.support.store import NOW, OpenStore, opened_store


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[OpenStore]:
    async with opened_store(tmp_path / "data") as store:
        yield store
