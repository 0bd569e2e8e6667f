"""One real server with the starter models, for all tests that do not kill it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.process import ServerProcess


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory, models_folder: Path) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path_factory.mktemp("live"), models_folder) as server:
        server.start()
        server.wait_until_ready()
        yield server
        assert server.stop() == 0, server.log
