"""The real process tells systemd, which is a datagram socket of ours, that it is well."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.process import ServerProcess


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(60)
        yield listener


def told_until(listener: socket.socket, wanted: str) -> list[str]:
    lines: list[str] = []
    while wanted not in lines:
        lines += listener.recv(4096).decode().split("\n")
    return lines


def test_ready_then_signs_of_life_then_stopping(tmp_path: Path, systemd: socket.socket) -> None:
    environment = {"NOTIFY_SOCKET": systemd.getsockname(), "WATCHDOG_USEC": "200000"}
    with ServerProcess(tmp_path, tmp_path / "no-models", **environment) as server:
        server.start()
        told_until(systemd, "READY=1")
        lines = told_until(systemd, "WATCHDOG=1") + told_until(systemd, "WATCHDOG=1")
        assert any(line.startswith("STATUS=0 jobs wait, 0 run; swept ") for line in lines)
        assert server.stop() == 0
        told_until(systemd, "STOPPING=1")
