"""A kill, a full disk and a failing disk at the N-th change of a file, for every N there is.

After each: what was told is true, and a start brings back every promise.
"""

import asyncio
import itertools
import os
import shutil
import sqlite3
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from errno import EIO, ENOSPC
from pathlib import Path

import msgspec
import pytest

from onprem.store.data_directory import MARK
from tests.support.clock import FakeClock
from tests.support.purger import MARKERS
from tests.support.purgers import Ended, Purgers, directory_in, holds, kernel_asks, recover
from tests.support.server import install, settings_in
from tests.support.system_calls import CALLS, KILL, Injection
from tests.support.tier import needed

pytestmark = [pytest.mark.ci, pytest.mark.timeout(1200)]

WRITES = frozenset({"pwrite64"})
OTHERS = CALLS - WRITES


def told_in_vain(folder: Path, aside: Path) -> list[str]:
    """Records with a receipt of which there is something left. `aside`: for a copy to look at."""
    shutil.copytree(folder / "data", aside)
    with closing(sqlite3.connect(aside / MARK)) as database:
        rows = database.execute(
            "SELECT body ->> 'artefactId' FROM ledger WHERE kind = 'deletion'"
        ).fetchall()
    shutil.rmtree(aside)
    directory = directory_in(folder)
    keys, blobs = directory.slots.read_bytes(), {path.name for path in directory.blobs.iterdir()}
    return [record for (record,) in rows if record in blobs or bytes.fromhex(record) in keys]


def check(folder: Path, ended: Ended, where: str) -> None:
    """Whether it was honest, and a start puts all in order."""
    log = (folder / "log").read_text() if (folder / "log").exists() else ""
    assert ended.status in (0, 1, -9), f"{where}: {log}"
    assert (ended.status == 1) == ("not done: " in log), f"{where}: {log}"
    assert not holds(folder, *MARKERS), where
    assert ended.status != 0 or not holds(folder, *ended.kept), f"{where}: it says done"
    assert told_in_vain(folder, folder / "aside") == [], where
    assert asyncio.run(recover(folder)) == [], where
    assert not holds(folder, *MARKERS, *ended.kept), where


class Faults(msgspec.Struct, frozen=True):
    """At every `stride`-th of these calls; `lasting`: at all from there on."""

    fault: int
    calls: frozenset[str]
    stride: int = 1
    lasting: bool = False


class Campaign:
    """A folder for each fault, on all cores."""

    def __init__(self, workplace: Path, template: Path, faults: Faults) -> None:
        self._workplace = workplace
        self._template = template
        self._faults = faults
        self._numbers = itertools.count(1, faults.stride)
        self._lock = threading.Lock()
        self.broken: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.with_content = 0
        """Those that left keys or ciphertext to the start after it."""

    def run(self) -> None:
        """Until there is no such call any more."""
        workers = os.cpu_count() or 1
        with ThreadPoolExecutor(workers) as pool:
            for done in [pool.submit(self._work) for _ in range(workers)]:
                done.result()

    def _work(self) -> None:
        with Purgers() as purgers:
            while self._inject(purgers):
                pass

    def _inject(self, purgers: Purgers) -> bool:
        with self._lock:
            number = next(self._numbers)
        folder = self._workplace / str(number)
        shutil.copytree(self._template, folder)
        fault, calls, lasting = self._faults.fault, self._faults.calls, self._faults.lasting
        ended = purgers.run(folder, Injection(number, fault, calls, lasting))
        broken, content = ended.calls.broken, holds(folder, *ended.kept)
        check(folder, ended, f"{number}: {broken}")
        shutil.rmtree(folder)
        if broken is None:
            assert ended.status == 0
            return False
        with self._lock:
            self.broken[broken] += 1
            self.statuses[ended.status] += 1
            self.with_content += content
        return True


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """What a kill in the middle left: starts from there have something to mend."""
    needed(kernel_asks(), "this kernel has no seccomp listener")
    folder = tmp_path / "template"
    folder.mkdir()
    asyncio.run(install(settings_in(folder), FakeClock()))
    with Purgers() as purgers:
        ended = purgers.run(folder, Injection(500, KILL, CALLS))
    assert ended.status == -9 and holds(folder, *ended.kept)
    return folder


soak = pytest.mark.soak


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param(Faults(KILL, CALLS), id="killed"),
        pytest.param(Faults(ENOSPC, OTHERS), id="full"),
        pytest.param(Faults(EIO, OTHERS), id="failing"),
        pytest.param(Faults(ENOSPC, WRITES, 7), id="full, every 7th write"),
        pytest.param(Faults(EIO, WRITES, 7), id="failing, every 7th write"),
        pytest.param(Faults(ENOSPC, CALLS, 7, lasting=True), id="full from every 7th call on"),
        pytest.param(Faults(EIO, CALLS, 7, lasting=True), id="failing from every 7th call on"),
        pytest.param(Faults(EIO, frozenset({"unlink"}), lasting=True), id="no unlink from then on"),
        pytest.param(Faults(EIO, frozenset({"fsync"}), lasting=True), id="no fsync from then on"),
        pytest.param(Faults(ENOSPC, WRITES), id="full, every write", marks=soak),
        pytest.param(Faults(EIO, WRITES), id="failing, every write", marks=soak),
        pytest.param(Faults(ENOSPC, CALLS, lasting=True), id="full from each call on", marks=soak),
        pytest.param(Faults(EIO, CALLS, lasting=True), id="failing from each call on", marks=soak),
    ],
)
def test_no_fault_at_any_call_breaks_a_promise(
    tmp_path: Path, template: Path, faults: Faults
) -> None:
    campaign = Campaign(tmp_path, template, faults)
    campaign.run()
    print(campaign.broken, campaign.statuses, campaign.with_content)
    assert campaign.with_content > 0
    if faults.fault == KILL:
        assert campaign.statuses.keys() == {-9}
        assert campaign.broken.keys() >= {"pwrite64", "fdatasync", "fsync", "unlink", "ftruncate"}
    else:
        assert campaign.statuses[1] > 0 and campaign.statuses.keys() <= {0, 1}
