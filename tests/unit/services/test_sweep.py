"""The sweep: what is due goes first, and one bad part does not stop the others."""

import pytest

from onprem.config.settings import Settings
from onprem.core.receipt import ArtefactKind, DeletionReason
from onprem.errors import StorageFull
from onprem.runner.finish import Finisher
from onprem.services.sweep import Sweep
from onprem.store import jobs, ledger, media, queue
from onprem.store.queue import Places
from tests.support.clock import FakeClock
from tests.support.store import NOW, OpenStore, log_of, size_of

DAY = 24 * 3600
ROOM = Places(short=600, for_long=True, for_others=True)


@pytest.fixture
def finisher(store: OpenStore, clock: FakeClock) -> Finisher:
    return Finisher(store.database, store.artefacts, clock, DAY)


@pytest.fixture
def sweep(store: OpenStore, finisher: Finisher, clock: FakeClock) -> Sweep:
    return Sweep(store.database, store.artefacts, finisher, clock, Settings())


async def upload(store: OpenStore, key: str = "a.wav") -> bytes:
    record = await store.keep(b"audio", ArtefactKind.MEDIA)
    async with store.database.write() as tx:
        await media.put(tx, store.project_id, key, record)
    return record


async def status(store: OpenStore, job_id: str) -> tuple[str, str | None]:
    job = await jobs.get(store.database, job_id, store.project_id)
    assert job is not None
    return job.status.value, job.error_code


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
    store: OpenStore, sweep: Sweep, finisher: Finisher
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


async def test_a_job_that_waits_too_long_fails(
    store: OpenStore, sweep: Sweep, clock: FakeClock
) -> None:
    await store.submit("late")
    clock.advance(DAY)
    assert (await sweep.run()).expired_jobs == 0
    clock.advance(1)
    assert (await sweep.run()).expired_jobs == 1
    assert await status(store, "late") == ("failed", "queue_expired")


async def test_a_job_that_is_claimed_in_that_moment_runs(
    store: OpenStore, sweep: Sweep, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.submit("claimed")
    await store.submit("late")
    clock.advance(DAY + 1)
    waiting = await queue.waiting_since(store.database, clock.now())
    async with store.database.write() as tx:
        await queue.claim_next(tx, regions=["here"], places=ROOM, now=clock.now())

    async def read_before_the_claim(*_: object) -> list[jobs.Job]:
        return waiting

    monkeypatch.setattr(queue, "waiting_since", read_before_the_claim)
    assert (await sweep.run()).expired_jobs == 1
    assert await status(store, "claimed") == ("running", None)
    assert await status(store, "late") == ("failed", "queue_expired")


async def test_a_full_disk_stops_the_end_of_jobs_but_no_deletion(
    store: OpenStore, sweep: Sweep, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object, **__: object) -> bytes:
        raise StorageFull()

    await store.keep(b"output")
    await store.submit("late")
    clock.advance(DAY + 1)
    with monkeypatch.context() as patch:
        patch.setattr(store.artefacts, "keep", full)
        with pytest.raises(StorageFull):
            await sweep.run()
    assert await store.artefacts.due(clock.now()) == []
    assert await status(store, "late") == ("created", None)
    assert (await sweep.run()).expired_jobs == 1


async def test_a_record_that_resists_holds_up_no_other_part(
    store: OpenStore, sweep: Sweep, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def resist(*_: object, **__: object) -> list[object]:
        raise OSError("the disk does not answer")

    await store.submit("late")
    clock.advance(DAY + 1)
    with monkeypatch.context() as patch:
        patch.setattr(store.artefacts, "delete", resist)
        with pytest.raises(OSError, match="does not answer"):
            await sweep.run()
    assert await status(store, "late") == ("failed", "queue_expired")
    assert (await sweep.run()).deleted > 0


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
    clock.advance(DAY + 1)
    await sweep.run()
    clock.advance(30 * DAY)
    assert (await sweep.run()).forgotten_jobs == 0
    clock.advance(1)
    assert (await sweep.run()).forgotten_jobs == 1
    assert await jobs.get(store.database, "job", store.project_id) is None
    assert len(await ledger.receipts_of_job(store.database, "job")) == 2


async def test_a_sweep_leaves_an_empty_log(store: OpenStore, sweep: Sweep) -> None:
    await store.submit("job")
    assert size_of(log_of(store.database)) > 0
    await sweep.run()
    assert size_of(log_of(store.database)) == 0
