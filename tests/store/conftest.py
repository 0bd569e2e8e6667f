"""An open store for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.store import OpenStore, opened_store


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[OpenStore]:
    async with opened_store(tmp_path / "data") as store:
        yield store
