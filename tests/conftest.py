"""For all tests: a scrubbed environment, no network but loopback, and where real parts lie."""

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# Before anything imports torch: its idle threads must not spin away the time of the others.
os.environ["GOMP_SPINCOUNT"] = "1000"

for _name in list(os.environ):
    if _name.startswith(("ONPREM_", "PYANNOTE", "OTEL_", "HF_")) or _name.lower().endswith(
        "_proxy"
    ):
        del os.environ[_name]


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A test that reaches for the network fails, naming the address."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and isinstance(address, tuple):
            host = str(address[0])
            if not (host.startswith("127.") or host in ("::1", "localhost")):
                pytest.fail(f"a test tried to connect to {host}")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)
    yield


@pytest.fixture(scope="session")
def models_folder() -> Path:
    """The starter models, which scripts/test fetches."""
    folder = ROOT / ".models"
    if not (folder / "whisper-tiny.en" / "manifest.json").exists():
        pytest.skip(f"no starter models in {folder}: run scripts/test, or onprem models fetch")
    return folder


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real recordings with truth, which only the project's own machines have."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no recordings in {folder}")
    return folder


@pytest.fixture
def required_tool() -> Callable[[str], str]:
    """The path of a program; without it a test is skipped, in `scripts/test --ci` it fails."""

    def find(name: str) -> str:
        path = shutil.which(name)
        if path is None and "CI_TIER" in os.environ:
            pytest.fail(f"{name} is missing")
        if path is None:
            pytest.skip(f"{name} is missing")
        return path

    return find
