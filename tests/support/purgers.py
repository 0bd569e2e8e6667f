"""Processes that keep and purge, each with a fault of its own, and what comes after them."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Self

import msgspec

from onprem.runner.finish import Finisher
from onprem.runner.recovery import recover_jobs
from onprem.services.invariants import check_invariants
from onprem.services.sweep import Sweep
from onprem.store.data_directory import DataDirectory
from onprem.wiring import running_store
from tests.support.clock import FakeClock
from tests.support.crash import ROOT
from tests.support.server import settings_in
from tests.support.store import bytes_below
from tests.support.system_calls import CallsWatched, Injection, receive_listener

DAYS = 3 * 24 * 3600.0


class Ended(msgspec.Struct, frozen=True):
    """How a purger ended, and what it had on the disk: keys, also wrapped, and ciphertext."""

    status: int
    calls: CallsWatched
    keys: list[bytes]
    ciphertext: list[bytes]

    @property
    def kept(self) -> list[bytes]:
        return self.keys + self.ciphertext


def kernel_asks() -> bool:
    """Whether this kernel lets a process ask before its calls."""
    code = "from tests.support.system_calls import ask_before_calls; ask_before_calls()"
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, capture_output=True).returncode == 0


class Purgers:
    """Where purgers come from: a process that has loaded all they need."""

    def __enter__(self) -> Self:
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._source = subprocess.Popen(
            [sys.executable, "-m", "tests.support.purger", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        theirs.close()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._source.stdin is not None and self._source.stdout is not None
        self._source.stdin.close()
        self._source.wait(60)
        self._source.stdout.close()
        self._channel.close()

    def run(self, folder: Path, injection: Injection | None = None) -> Ended:
        assert self._source.stdin is not None and self._source.stdout is not None
        self._source.stdin.write(f"{folder}\n".encode())
        self._source.stdin.flush()
        pid, listener = receive_listener(self._channel)
        calls = CallsWatched(pid, listener, injection)
        calls.watch()
        os.close(listener)
        status, told = int(self._source.stdout.readline()), self._told()
        keys = [key for each in told for key in each[:2]]
        return Ended(status, calls, keys, [part for each in told for part in each[2:]])

    def _told(self) -> list[list[bytes]]:
        told = []
        while True:
            try:
                said = self._channel.recv(4096, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return told
            told.append(msgspec.json.decode(said, type=list[bytes]))


def directory_in(folder: Path) -> DataDirectory:
    settings = settings_in(folder)
    return DataDirectory(settings.storage.data_dir, settings.keys_dir)


async def recover(folder: Path) -> list[str]:
    """What a start and the sweep of some days later do, and the promises broken after that."""
    settings, clock = settings_in(folder), FakeClock()
    async with running_store(settings, clock) as (database, artefacts, _):
        finisher = Finisher(database, artefacts, clock)
        await recover_jobs(database, artefacts, finisher, clock, allowed_attempts=3)
        clock.advance(DAYS)
        await Sweep(database, artefacts, clock, settings).run()
        assert await artefacts.due(clock.now() + DAYS) == []
    return await check_invariants(directory_in(folder), clock.now())


def holds(folder: Path, *parts: bytes) -> bool:
    everything = bytes_below(folder)
    return any(part in everything for part in parts)
