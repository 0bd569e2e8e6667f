"""What systemd is told, over a real datagram socket."""

import logging
import math
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from onprem.core.receipt import ArtefactKind
from onprem.errors import StoreBusy
from onprem.services.compliance import (
    STALE_SECONDS,
    CanaryState,
    ClockState,
    Compliance,
    ComplianceReport,
    KindState,
    Verification,
    WorkerCopies,
)
from onprem.services.health import Health
from onprem.store.retained import QueueNow
from onprem.watchdog import ServiceManager, Watchdog


class FakeCompliance(Compliance):
    def __init__(self) -> None:
        self.age = 1.0
        self.overdue = 0
        self.unverified = 0
        self.fails = False

    async def report(self) -> ComplianceReport:
        if self.fails:
            raise StoreBusy()
        return ComplianceReport(
            status="kept",
            problems=[],
            kinds={ArtefactKind.OUTPUT: KindState(5, 1.0, self.overdue, self.overdue)},
            last_sweep_age_seconds=self.age,
            verification=Verification(self.unverified, self.unverified),
            worker_copies=WorkerCopies(0, 0, 0),
            canary=CanaryState(None, None),
            clock=ClockState(0.0, True),
        )


class FakeHealth(Health):
    def __init__(self) -> None:
        pass

    async def queue(self) -> QueueNow:
        return QueueNow(waiting=3, oldest_since=None, running=1)


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.setblocking(False)
        yield listener


@pytest.fixture
def compliance() -> FakeCompliance:
    return FakeCompliance()


@pytest.fixture
def watchdog(listener: socket.socket, compliance: FakeCompliance) -> Watchdog:
    manager = ServiceManager({"NOTIFY_SOCKET": listener.getsockname()})
    return Watchdog(manager, compliance, FakeHealth())


def told(listener: socket.socket) -> list[str]:
    return listener.recv(4096).decode().split("\n")


async def test_a_sign_of_life_and_the_queue(watchdog: Watchdog, listener: socket.socket) -> None:
    await watchdog.look()
    assert told(listener) == ["STATUS=3 jobs wait, 1 run; swept 1 s ago", "WATCHDOG=1"]


async def test_no_sign_of_life_while_the_sweep_is_stale(
    watchdog: Watchdog, compliance: FakeCompliance, listener: socket.socket
) -> None:
    compliance.age = STALE_SECONDS
    await watchdog.look()
    assert "WATCHDOG=1" in told(listener)
    compliance.age = STALE_SECONDS + 1
    await watchdog.look()
    assert told(listener) == ["STATUS=3 jobs wait, 1 run; swept 121 s ago, TOO LONG"]


async def test_no_sign_of_life_while_anything_is_overdue(
    watchdog: Watchdog, compliance: FakeCompliance, listener: socket.socket
) -> None:
    compliance.overdue = 2
    await watchdog.look()
    assert told(listener) == ["STATUS=3 jobs wait, 1 run; swept 1 s ago, 2 OVERDUE"]


async def test_a_deletion_that_is_not_confirmed_is_no_reason_to_start_again(
    watchdog: Watchdog, compliance: FakeCompliance, listener: socket.socket
) -> None:
    compliance.unverified = 1
    await watchdog.look()
    assert "WATCHDOG=1" in told(listener)


async def test_no_sign_of_life_while_nothing_is_known(
    watchdog: Watchdog, compliance: FakeCompliance, listener: socket.socket
) -> None:
    compliance.fails = True
    await watchdog.look()
    (status,) = told(listener)
    assert status.startswith("STATUS=Deadlines cannot be checked")


def test_a_name_in_the_abstract_namespace(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(f"\0{tmp_path}")
        ServiceManager({"NOTIFY_SOCKET": f"@{tmp_path}"}).tell("READY=1")
        assert told(listener) == ["READY=1"]


def test_a_manager_that_is_gone_is_no_reason_to_stop(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "gone")}).tell("READY=1")
    assert "systemd cannot be told READY=1" in caplog.text


async def test_without_a_manager_nothing_is_looked_at(compliance: FakeCompliance) -> None:
    manager = ServiceManager({})
    compliance.fails = True
    async with Watchdog(manager, compliance, FakeHealth()).on_guard():
        manager.tell("READY=1")
    assert not manager.listens


def test_the_patience_of_the_manager() -> None:
    assert ServiceManager({}).patience == math.inf
    assert ServiceManager({"WATCHDOG_USEC": "120000000"}).patience == 120
