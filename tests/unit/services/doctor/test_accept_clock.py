"""A clock that ran ten years ahead and was believed: what is stored keeps the time it has left."""

import pytest

from onprem.core.receipt import ArtefactKind, DeletionReason
from onprem.errors import ClockNotAhead, ClockNotSynchronised
from onprem.services.doctor.accept_clock import accept_clock
from onprem.services.invariants import check_invariants
from onprem.store import clock_mark, jobs
from onprem.store.chain import LEDGER
from tests.support.clock import FakeClock
from tests.support.store import LATER, NOW, OpenStore

YEARS = 10 * 365 * 86400.0


async def noted(store: OpenStore, clock: FakeClock) -> None:
    """As a sweep does it."""
    async with store.database.write() as tx:
        await clock_mark.write(tx, clock.mark())


async def times(store: OpenStore) -> dict[str, tuple[float, float]]:
    rows = await store.database.fetchall("SELECT kind, created_at, due_at FROM artefact")
    return {row[0]: (row[1], row[2]) for row in rows}


async def kept_in(store: OpenStore, lead: float) -> None:
    """Media that was stored while the clock was ahead, and a deletion by which the ledger knows."""
    record = await store.keep(b"gone")
    ahead = FakeClock(NOW)
    ahead.step_wall(-lead)
    store.clock.sources.wall_seconds = ahead.sources.wall_seconds
    await store.artefacts.delete([record], DeletionReason.REQUESTED, now=NOW)
    await store.keep(b"audio", ArtefactKind.MEDIA)


async def test_what_was_stored_meanwhile_keeps_the_time_that_it_had_left(store: OpenStore) -> None:
    """The clock stands at NOW, the truth is ten years earlier."""
    await kept_in(store, YEARS)
    await store.submit("job")
    async with store.database.write() as tx:
        await jobs.mark_deleted(tx, "job", now=NOW)
    await noted(store, store.clock)

    accepted = await accept_clock(store.database, store.clock, "user:0")

    assert (accepted.lead, accepted.redated) == (YEARS, 2)
    assert (await times(store))["media"] == (NOW - YEARS, LATER - YEARS)
    (job,) = await store.database.fetchall("SELECT created_at, deleted_at FROM job")
    assert job == (NOW - YEARS, NOW - YEARS)
    mark = await clock_mark.read(store.database)
    assert mark is not None and mark.time == NOW - YEARS
    assert await check_invariants(store.directory, NOW - YEARS) == []


async def test_what_was_stored_before_is_left_as_it_was(store: OpenStore) -> None:
    """Of what was made since, an hour does not tell by dates alone: the ledger knows."""
    await store.keep(b"before", ArtefactKind.OUTPUT)
    since = (await store.keep(b"since", ArtefactKind.MEDIA),)
    store.clock.advance(7200)
    before = (await times(store))["output"]
    store.clock.sources.wall_seconds -= 3600  # retention time is an hour ahead from here on
    record = await store.keep(b"gone", ArtefactKind.REQUEST)
    await store.artefacts.delete([record], DeletionReason.REQUESTED, now=store.clock.now())
    async with store.database.write() as tx:
        await tx.execute("UPDATE artefact SET created_at = ? WHERE id = ?", (NOW + 7300, *since))
    store.clock.advance(5000)

    accepted = await accept_clock(store.database, store.clock, "user:0")

    assert (accepted.lead, accepted.redated) == (3600.0, 1)
    assert (await times(store))["output"] == before
    assert (await times(store))["media"][0] == NOW + 3700


async def test_the_ledger_notes_who_accepted_it(store: OpenStore) -> None:
    await kept_in(store, YEARS)
    await accept_clock(store.database, store.clock, "user:7")
    *_, entry = await LEDGER.entries(store.database)
    assert entry.kind == "act" and '"clock_accepted"' in entry.body and '"user:7"' in entry.body
    assert '"synchronised":true' in entry.body
    assert entry.stamp.at == entry.stamp.wall == NOW - YEARS
    assert await LEDGER.first_broken(store.database) is None


@pytest.mark.parametrize("step", [0.0, -299.0, 3600.0])
async def test_a_clock_that_is_not_ahead_is_left_alone(store: OpenStore, step: float) -> None:
    store.clock.step_wall(step)
    await store.keep(b"audio")
    before = await times(store)
    with pytest.raises(ClockNotAhead):
        await accept_clock(store.database, store.clock, "user:0")
    assert await times(store) == before
    assert await LEDGER.entries(store.database) == []


async def test_a_clock_that_somebody_set_back_is_not_accepted(store: OpenStore) -> None:
    await store.keep(b"audio")
    store.clock.step_wall(-YEARS, synchronised=False)
    before = await times(store)
    with pytest.raises(ClockNotSynchronised):
        await accept_clock(store.database, store.clock, "user:0")
    assert await times(store) == before
    assert await LEDGER.entries(store.database) == []
