"""A disk that is full to the last byte: what is due becomes unreadable all the same, and loudly."""

import os
import secrets
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from onprem.store.data_directory import MARK
from onprem.store.slots import SLOT_BYTES
from tests.crash.conftest import MakeSite
from tests.support.audio import tone, wav
from tests.support.crash import ROOT, CrashSite
from tests.support.crash_server import TRANSCRIPT
from tests.support.filesystems import may_mount, memory_disk
from tests.support.tier import needed

pytestmark = pytest.mark.ci

MEGABYTES = 16
JOBS = 3
OVERDUE = "UPDATE artefact SET due_at = created_at - 120 WHERE kind IN ({})"
"""As if they had lain for two minutes, and nobody had swept."""


class FullDisk:
    """An installation on a small disk, with outputs and a recording; `fill` leaves no byte free."""

    def __init__(self, site: CrashSite) -> None:
        self.site = site
        assert site.start()
        site.upload(wav(secrets.token_bytes(3_000_000)), "media://a.wav")
        self.jobs = [site.diarize("media://a.wav") for _ in range(JOBS)]
        assert set(site.ended(self.jobs).values()) == {"succeeded"}
        self.keys: list[bytes] = []
        self._ballast = site.directory.root / "ballast"

    def fill(self, *kinds: str) -> None:
        """What is of these kinds is overdue from now on."""
        named = ", ".join(f"'{kind}'" for kind in kinds)
        raw = self.site.directory.slots.read_bytes()
        slots = self._query(f"SELECT slot FROM artefact WHERE kind IN ({named})")
        self.keys = [raw[slot * SLOT_BYTES :][16:56] for (slot,) in slots]
        assert self.site.finds(*self.keys) == [self.site.directory.slots]
        self._query(OVERDUE.format(named))
        self._query("UPDATE job SET output_due_at = created_at - 120")
        self._query("UPDATE clock_mark SET swept_at = NULL")
        self._query("PRAGMA wal_checkpoint(TRUNCATE)")
        with self._ballast.open("ab", buffering=0) as file:
            for size in (1 << 20, 1 << 12, 1):
                with suppress(OSError):
                    while True:
                        file.write(b"x" * size)

    def release(self) -> None:
        self._ballast.unlink()

    def purge(self) -> "subprocess.CompletedProcess[str]":
        """As the timer does."""
        config = str(self.site.folder / "onprem.toml")
        return subprocess.run(
            [sys.executable, "-m", "onprem", "purge", "--due", "--yes", "--config", config],
            capture_output=True,
            text=True,
            env={"PATH": os.environ["PATH"], "TMPDIR": str(self.site.temporary)},
            cwd=ROOT,
        )

    def unreadable(self) -> bool:
        """Whether no key of what is due is anywhere."""
        return self.site.finds(*self.keys) == []

    def without_receipt(self) -> int:
        """How many jobs have none for their output."""
        found = self._query(
            "SELECT count(*) FROM ledger"
            " WHERE kind = 'deletion' AND body ->> 'kind' = 'output' AND body ->> 'verified'"
        )
        return JOBS - int(found[0][0])

    def compliance(self) -> int:
        return self.site.client.get("/healthz/compliance").status_code

    def refusals(self) -> set[int]:
        """What clients are told who have something new to store."""
        link = self.site.client.post("/v1/media/input", json={"url": "media://b.wav"})
        if link.status_code != 201:
            return {link.status_code}
        put = self.site.client.put(
            link.json()["url"], content=tone(30.0), headers={"authorization": ""}
        )
        body = {"url": "media://a.wav", "transcription": True}
        return {put.status_code, self.site.client.post("/v1/diarize", json=body).status_code}

    def _query(self, sql: str) -> list[Any]:
        with closing(sqlite3.connect(self.site.directory.root / MARK)) as database, database:
            return database.execute(sql).fetchall()


@pytest.fixture
def disk(tmp_path: Path, make_site: MakeSite) -> Iterator[FullDisk]:
    needed(may_mount(tmp_path / "probe"), "nothing can be mounted here")
    with memory_disk(tmp_path / "data", MEGABYTES):
        made = FullDisk(make_site())
        yield made
        made.site.kill()


def until(true: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.2)


def test_the_running_server(disk: FullDisk) -> None:
    disk.fill("output")
    assert disk.refusals() == {507}
    assert disk.compliance() == 500
    until(disk.unreadable)
    assert disk.without_receipt() == JOBS
    for job_id in disk.jobs:
        assert TRANSCRIPT not in disk.site.client.get(f"/v1/jobs/{job_id}/output").text
    assert disk.compliance() == 500
    until(lambda: "the sweep did not finish: StorageFull" in disk.site.log.read_text())

    disk.release()
    until(lambda: disk.without_receipt() == 0)
    until(lambda: disk.compliance() == 200)
    disk.site.ended([disk.site.diarize("media://a.wav")])
    assert disk.site.stop() == 0
    assert disk.site.violations() == []


def test_starts_after_kills(disk: FullDisk) -> None:
    disk.fill("output")
    for _ in range(2):
        disk.site.kill()
        assert disk.site.start()
        assert disk.unreadable()
        assert disk.refusals() == {507}
        assert disk.compliance() == 500
        assert disk.without_receipt() == JOBS
    disk.site.kill()
    log = disk.site.log.read_text()
    assert "the first sweep did not finish: StorageFull" in log
    assert "deletions that broke off are not complete yet: StorageFull" in log

    disk.release()
    assert disk.site.start()
    assert disk.compliance() == 200
    assert disk.without_receipt() == 0
    assert disk.site.stop() == 0
    assert disk.site.violations() == []


def test_a_start_without_room_to_serve_deletes_first(disk: FullDisk) -> None:
    assert disk.site.stop() == 0
    disk.fill("output")
    for _ in range(2):
        assert not disk.site.start()
        assert disk.unreadable()
    assert "no room on the disk" in disk.site.log.read_text()

    disk.release()
    assert disk.site.start()
    assert disk.without_receipt() == 0
    assert disk.site.stop() == 0
    assert disk.site.violations() == []


def test_the_command_alone(disk: FullDisk) -> None:
    assert disk.site.stop() == 0
    disk.fill("output")
    for _ in range(2):
        done = disk.purge()
        assert done.returncode == 1
        assert f"{JOBS} of {JOBS} records are left (storage_full)" in done.stderr
        assert disk.unreadable()

    disk.release()
    assert disk.purge().returncode == 0
    assert disk.without_receipt() == 0
    assert disk.site.violations() == []


def test_a_recording_that_goes_makes_room_for_the_receipts(disk: FullDisk) -> None:
    assert disk.site.stop() == 0
    disk.fill("output", "media")
    disk.purge()
    assert disk.unreadable()
    assert disk.purge().returncode == 0
    assert disk.without_receipt() == 0
    disk.release()
    assert disk.site.violations() == []
