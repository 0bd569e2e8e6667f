"""Jobs that waited too long fail, unless they are claimed in that moment."""

import pytest

from onprem.errors import StorageFull
from onprem.runner.finish import Finisher
from onprem.services.queue_expiry import QueueExpiry
from onprem.store import jobs, queue
from onprem.store.queue import Places
from tests.support.clock import FakeClock
from tests.support.store import OpenStore

DAY = 24 * 3600
ROOM = Places(short=600, for_long=True, for_others=True)


@pytest.fixture
def expiry(store: OpenStore, clock: FakeClock) -> QueueExpiry:
    finisher = Finisher(store.database, store.artefacts, clock)
    return QueueExpiry(store.database, finisher, clock, DAY)


async def status(store: OpenStore, job_id: str) -> tuple[str, str | None]:
    job = await jobs.get(store.database, job_id, store.project_id)
    assert job is not None
    return job.status.value, job.error_code


async def test_a_job_that_waits_too_long_fails(
    store: OpenStore, expiry: QueueExpiry, clock: FakeClock
) -> None:
    await store.submit("late")
    clock.advance(DAY)
    assert await expiry.run() == 0
    clock.advance(1)
    assert await expiry.run() == 1
    assert await status(store, "late") == ("failed", "queue_expired")


async def test_a_job_that_is_claimed_in_that_moment_runs(
    store: OpenStore, expiry: QueueExpiry, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
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
    assert await expiry.run() == 1
    assert await status(store, "claimed") == ("running", None)
    assert await status(store, "late") == ("failed", "queue_expired")


async def test_on_a_full_disk_it_waits_on(
    store: OpenStore, expiry: QueueExpiry, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object, **__: object) -> bytes:
        raise StorageFull()

    await store.submit("late")
    clock.advance(DAY + 1)
    with monkeypatch.context() as patch:
        patch.setattr(store.artefacts, "keep", full)
        with pytest.raises(StorageFull):
            await expiry.run()
    assert await status(store, "late") == ("created", None)
    assert await expiry.run() == 1
