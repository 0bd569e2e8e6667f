"""The canary: it vanishes, and if it did not, we would hear of it."""

import asyncio
import os
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from onprem.config.settings import Settings
from onprem.core.canary import Trial, Verdict
from onprem.core.retention import GRACE_SECONDS
from onprem.errors import PurgeIncomplete
from onprem.services.canary import LIFE_SECONDS, SIZES, Canary
from onprem.services.sweep import Sweep
from onprem.store.byte_scan import Place, Scan
from onprem.store.canaries import Canaries, last_trial
from onprem.store.chain import LEDGER
from onprem.store.database import PRAGMAS
from tests.support.clock import FakeClock
from tests.support.store import OpenStore, opened_store

PERIOD = 3600.0


class Aviary:
    """A canary over a real store, and what is done around it."""

    def __init__(self, store: OpenStore, clock: FakeClock) -> None:
        self.store = store
        self.clock = clock
        self.sweep = Sweep(store.database, store.artefacts, clock, Settings())
        self.canary = self.next_process()

    def next_process(self) -> Canary:
        directory = self.store.directory
        places = [
            Place("data directory", [directory.root]),
            Place("record keys", [directory.slots.parent]),
        ]
        canaries = Canaries(self.store.database, self.store.artefacts, self.clock)
        return Canary(canaries, places, self.clock, period=PERIOD)

    async def planted(self) -> list[bytes]:
        """Its ciphertexts, once one is planted."""
        await self.canary.run()
        rows = await self.store.database.fetchall(
            "SELECT id FROM artefact WHERE kind = 'canary' ORDER BY size"
        )
        found = [await self.store.artefacts.at_rest(row[0]) for row in rows]
        return [each.ciphertext for each in found if each is not None]

    async def dies(self) -> None:
        """And the time that the sweep has for it passes."""
        self.clock.advance(LIFE_SECONDS)
        await self.sweep.run()
        self.clock.advance(GRACE_SECONDS)

    async def trial(self) -> Trial:
        last = await last_trial(self.store.database)
        assert last is not None
        return last


@pytest.fixture
async def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OpenStore]:
    monkeypatch.setitem(PRAGMAS, "busy_timeout", 50)
    async with opened_store(tmp_path / "data") as store:
        yield store


@pytest.fixture
def aviary(store: OpenStore) -> Aviary:
    return Aviary(store, FakeClock(time.time()))  # files are dated by the machine's clock


async def test_one_lives_its_time_and_is_gone(aviary: Aviary) -> None:
    assert len(await aviary.planted()) == len(SIZES)
    assert await last_trial(aviary.store.database) is None
    await aviary.canary.run()
    await aviary.dies()
    await aviary.canary.run()
    trial = await aviary.trial()
    assert (trial.verdict, trial.traces) == (Verdict.GONE, [])
    assert trial.verdict.kept and len(trial.artefacts) == len(SIZES) and trial.bytes > 0
    assert trial.due_at == trial.created_at + LIFE_SECONDS
    assert trial.ended_at == trial.due_at + GRACE_SECONDS
    assert await LEDGER.first_broken(aviary.store.database) is None


async def test_the_next_comes_after_the_period(aviary: Aviary) -> None:
    await aviary.planted()
    await aviary.dies()
    await aviary.canary.run()
    aviary.clock.advance(PERIOD - LIFE_SECONDS - GRACE_SECONDS - 1)
    assert await aviary.planted() == []
    aviary.clock.advance(1)
    assert len(await aviary.planted()) == len(SIZES)


async def test_nothing_is_said_while_it_is_still_there(aviary: Aviary) -> None:
    await aviary.planted()
    aviary.clock.advance(LIFE_SECONDS + 300)
    await aviary.canary.run()
    assert await last_trial(aviary.store.database) is None


@pytest.mark.parametrize("part", [0, 1])
async def test_ciphertext_that_was_left_is_found(aviary: Aviary, part: int) -> None:
    ciphertext = (await aviary.planted())[part]
    left: Path = aviary.store.directory.root / "left"
    left.write_bytes(b"-" * 100 + ciphertext[-5000:])  # a block of a disk, or more
    await aviary.dies()
    await aviary.canary.run()
    trial = await aviary.trial()
    assert trial.verdict is Verdict.LEFT and not trial.verdict.kept
    assert [(trace.what, trace.file) for trace in trial.traces] == [("ciphertext", "left")]


async def test_a_key_that_was_not_overwritten_is_found(aviary: Aviary) -> None:
    await aviary.planted()
    copy = aviary.store.directory.slots.read_bytes()
    await aviary.dies()
    aviary.store.directory.slots.write_bytes(copy)
    await aviary.canary.run()
    trial = await aviary.trial()
    assert trial.verdict is Verdict.LEFT
    assert {trace.what for trace in trial.traces} == {"key"}


async def test_a_scan_that_could_not_find_it_proves_nothing(aviary: Aviary, tmp_path: Path) -> None:
    canaries = Canaries(aviary.store.database, aviary.store.artefacts, aviary.clock)
    nowhere = [Place("nowhere", [tmp_path / "nothing"])]
    aviary.canary = Canary(canaries, nowhere, aviary.clock, period=PERIOD)
    await aviary.planted()
    await aviary.dies()
    await aviary.canary.run()
    assert (await aviary.trial()).verdict is Verdict.UNPROVEN


async def test_plaintext_at_rest_is_an_exposure(
    aviary: Aviary, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = bytes(range(32))
    known = SimpleNamespace(token_bytes=lambda size: marker[:size])
    monkeypatch.setattr("onprem.services.canary.secrets", known)
    (aviary.store.directory.root / "spilled").write_bytes(marker)
    await aviary.planted()
    await aviary.dies()
    await aviary.canary.run()
    trial = await aviary.trial()
    assert trial.verdict is Verdict.EXPOSED
    assert [trace.file for trace in trial.traces] == ["spilled"]


async def test_one_that_a_stop_interrupted_is_told_and_deleted(aviary: Aviary) -> None:
    await aviary.planted()
    aviary.canary = aviary.next_process()
    await aviary.canary.run()
    assert (await aviary.trial()).verdict is Verdict.INTERRUPTED
    await aviary.dies()
    row = await aviary.store.database.fetchone(
        "SELECT count(*) FROM ledger WHERE body ->> 'kind' = 'canary'"
    )
    assert row == (2 * len(SIZES),)  # and the next one


async def test_files_are_all_read_after_the_wall_clock_was_set(aviary: Aviary) -> None:
    ciphertext = (await aviary.planted())[0]
    aviary.clock.step_wall(7200)
    left = aviary.store.directory.root / "left"
    left.write_bytes(ciphertext)
    os.utime(left, (0, 0))
    await aviary.dies()
    await aviary.canary.run()
    assert (await aviary.trial()).verdict is Verdict.LEFT


async def test_nobody_looks_while_sqlite_s_log_may_still_hold_it(aviary: Aviary) -> None:
    """Which it rightly does while somebody reads."""
    await aviary.planted()
    reader = sqlite3.connect(aviary.store.database.path, isolation_level=None)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM artefact").fetchone() == (len(SIZES),)
    aviary.clock.advance(LIFE_SECONDS)
    with pytest.raises(PurgeIncomplete):
        await aviary.sweep.run()
    await aviary.canary.run()
    assert await last_trial(aviary.store.database) is None
    reader.close()
    await aviary.sweep.run()
    aviary.clock.advance(GRACE_SECONDS)
    await aviary.canary.run()
    assert (await aviary.trial()).verdict is Verdict.GONE


async def test_a_stop_ends_a_scan_which_then_proves_nothing(
    aviary: Aviary, monkeypatch: pytest.MonkeyPatch
) -> None:
    await aviary.planted()
    await aviary.dies()
    begun = asyncio.Event()

    async def endless(*_: object, **__: object) -> Scan:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr("onprem.services.canary.scan", endless)
    looking = asyncio.create_task(aviary.canary.run())
    await begun.wait()
    aviary.canary.stop()
    await looking
    assert (await aviary.trial()).verdict is Verdict.UNPROVEN


async def test_a_scan_that_breaks_proves_nothing(
    aviary: Aviary, monkeypatch: pytest.MonkeyPatch
) -> None:
    await aviary.planted()
    await aviary.dies()
    monkeypatch.setattr("onprem.store.byte_scan.sys.executable", "/bin/false")
    await aviary.canary.run()
    assert (await aviary.trial()).verdict is Verdict.UNPROVEN
