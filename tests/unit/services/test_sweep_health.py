"""What a sweep tells of itself: it counts as done only when all of it was."""

import sqlite3

import pytest

from onprem.config.settings import Settings
from onprem.errors import DeletionUnverified, PurgeIncomplete
from onprem.services.sweep import Sweep
from onprem.store.slots import SlotFile
from tests.support.clock import FakeClock
from tests.support.store import LATER, NOW, OpenStore


@pytest.fixture
def sweep(store: OpenStore, clock: FakeClock) -> Sweep:
    return Sweep(store.database, store.artefacts, clock, Settings())


async def test_a_sweep_that_did_all_is_the_last_one(sweep: Sweep, clock: FakeClock) -> None:
    clock.advance(90)
    assert sweep.health.age == 90
    await sweep.run()
    assert sweep.health.age == 0


async def test_one_that_left_something_is_not_until_it_is_made_good(
    store: OpenStore, sweep: Sweep, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.keep(b"output")
    clock.advance(LATER - NOW)
    with monkeypatch.context() as patch:
        patch.setattr(SlotFile, "erase", lambda *_: False)
        with pytest.raises(DeletionUnverified):
            await sweep.run()
    verification = store.artefacts.verification
    assert sweep.health.age == LATER - NOW
    assert (verification.count(), await verification.unresolved(store.database)) == (1, 1)
    await sweep.run()
    assert sweep.health.age == 0
    assert (verification.count(), await verification.unresolved(store.database)) == (1, 0)


async def test_nor_is_one_whose_log_a_reader_holds(
    store: OpenStore, sweep: Sweep, clock: FakeClock
) -> None:
    await store.keep(b"output")
    clock.advance(LATER - NOW)
    async with store.database.write() as tx:
        await tx.fetchall("PRAGMA busy_timeout = 50")  # it waits 10 s for a reader to end
    reader = sqlite3.connect(store.database.path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM artefact").fetchall()
    with pytest.raises(PurgeIncomplete):
        await sweep.run()
    verification = store.artefacts.verification
    assert sweep.health.age == LATER - NOW
    assert verification.count() > 0
    assert await verification.unresolved(store.database) == 1
    reader.execute("ROLLBACK")
    reader.close()
    await sweep.run()
    assert sweep.health.age == 0
    assert await verification.unresolved(store.database) == 0
