"""The sweep: what is due goes first, and one bad part does not stop the others."""

import pytest

from onprem.config.settings import Settings
from onprem.core.receipt import ArtefactKind, DeletionReason
from onprem.errors import DeletionUnverified, PurgeIncomplete
from onprem.services.sweep import Sweep, swept_lately
from onprem.store import clock_mark, jobs, ledger, media
from tests.support.clock import FakeClock
from tests.support.store import LATER, NOW, OpenStore, log_of, size_of

DAY = 24 * 3600


@pytest.fixture
def sweep(store: OpenStore, clock: FakeClock) -> Sweep:
    return Sweep(store.database, store.artefacts, clock, Settings())


async def upload(store: OpenStore, key: str = "a.wav") -> bytes:
    record = await store.keep(b"audio", ArtefactKind.MEDIA)
    async with store.database.write() as tx:
        await media.put(tx, store.project_id, key, record)
    return record


async def test_what_is_due_is_deleted_and_what_is_not_stays(
    store: OpenStore, sweep: Sweep, clock: FakeClock
) -> None:
    record = await store.keep(b"output")
    assert (await sweep.run()).deleted == 0
    clock.advance(3600)
    assert (await sweep.run()).deleted == 1
    (receipt,) = await ledger.receipts_of_job(store.database, "job")
    assert (receipt.artefact_id, receipt.reason) == (record.hex(), DeletionReason.DEADLINE)
    assert (await sweep.run()).deleted == 0


async def test_an_old_version_goes_when_no_unfinished_job_is_bound_to_it(
    store: OpenStore, sweep: Sweep
) -> None:
    old = await upload(store)
    await store.submit("bound", old)
    new = await upload(store)
    assert (await sweep.run()).deleted == 0
    async with store.database.write() as tx:
        await tx.execute("UPDATE job SET finished_at = ? WHERE id = 'bound'", (NOW,))
        await tx.execute("DELETE FROM artefact WHERE job_id = 'bound'")
    await sweep.run()
    live = await store.database.fetchall("SELECT id FROM artefact")
    assert (old,) not in live and (new,) in live


async def test_a_record_that_resists_holds_up_no_other_part(
    store: OpenStore, sweep: Sweep, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def resist(*_: object, **__: object) -> list[object]:
        raise OSError("the disk does not answer")

    await store.keep(b"output")
    await store.submit("old")
    async with store.database.write() as tx:
        await tx.execute("UPDATE job SET status = 'canceled', finished_at = ?", (NOW,))
        await tx.execute("DELETE FROM artefact WHERE job_id = 'old'")
    clock.advance(31 * DAY)
    with monkeypatch.context() as patch:
        patch.setattr(store.artefacts, "delete", resist)
        with pytest.raises(OSError, match="does not answer"):
            await sweep.run()
    assert await jobs.get(store.database, "old", store.project_id) is None
    assert await clock_mark.last_sweep(store.database) is None
    assert (await sweep.run()).deleted > 0
    assert await clock_mark.last_sweep(store.database) == clock.now()


async def test_a_request_that_outlived_its_job_goes(store: OpenStore, sweep: Sweep) -> None:
    await store.submit("ended")
    async with store.database.write() as tx:
        await tx.execute("UPDATE job SET finished_at = ? WHERE id = 'ended'", (NOW,))
    assert (await sweep.run()).deleted == 1
    (receipt,) = await ledger.receipts_of_job(store.database, "ended")
    assert receipt.reason is DeletionReason.JOB_ENDED


async def test_a_tombstone_is_forgotten_after_its_time(
    store: OpenStore, sweep: Sweep, clock: FakeClock
) -> None:
    await store.submit("job")
    async with store.database.write() as tx:
        await tx.execute("UPDATE job SET status = 'canceled', finished_at = ?", (NOW,))
    await sweep.run()
    clock.advance(30 * DAY)
    assert (await sweep.run()).forgotten_jobs == 0
    clock.advance(1)
    assert (await sweep.run()).forgotten_jobs == 1
    assert await jobs.get(store.database, "job", store.project_id) is None
    assert len(await ledger.receipts_of_job(store.database, "job")) == 1


async def test_a_sweep_leaves_an_empty_log(store: OpenStore, sweep: Sweep) -> None:
    await store.submit("job")
    assert size_of(log_of(store.database)) > 0
    await sweep.run()
    assert size_of(log_of(store.database)) == 0


async def test_a_reader_that_holds_the_log_is_told_and_the_sweep_does_not_count(
    store: OpenStore, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def held() -> bool:
        return False

    with monkeypatch.context() as patch:
        patch.setattr(store.database, "truncate_log", held)
        with pytest.raises(PurgeIncomplete):
            await sweep.run()
    await sweep.run()


async def test_a_deletion_that_is_not_confirmed_is_no_deletion(
    store: OpenStore, sweep: Sweep, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = await store.keep(b"output")
    clock.advance(3600)
    with monkeypatch.context() as patch:
        patch.setattr(store.slots, "erase", lambda slot, record: False)
        with pytest.raises(DeletionUnverified):
            await sweep.run()
    assert await ledger.receipts_of_job(store.database, "job") == []
    assert [each.id for each in await store.artefacts.due(clock.now())] == [record]
    assert (await sweep.run()).deleted == 1


async def test_retention_time_goes_on_in_the_next_process(
    store: OpenStore, sweep: Sweep, clock: FakeClock
) -> None:
    clock.advance(100)
    await sweep.run()
    mark = await clock_mark.read(store.database)
    assert mark is not None and mark.time == clock.now()


async def test_one_sweep_is_enough_unless_it_left_something(
    store: OpenStore, sweep: Sweep, clock: FakeClock
) -> None:
    async def enough() -> bool:
        return await swept_lately(store.database, store.artefacts, clock)

    assert not await enough()
    await sweep.run()
    clock.advance(59)
    assert await enough()
    clock.advance(1)
    assert not await enough()
    await store.keep(b"output")
    clock.advance(LATER - clock.now() - 1)
    await sweep.run()
    clock.advance(25)
    assert await enough()
    clock.advance(1)
    assert not await enough()
