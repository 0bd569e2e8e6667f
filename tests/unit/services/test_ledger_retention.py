"""Old entries go from the head, and whoever verifies later can tell that they did rightly."""

import sqlite3

import msgspec
import pytest

from onprem.config.quantities import Duration
from onprem.config.settings import Retention
from onprem.core.ledger import ChainName, EntryKind
from onprem.core.pruned import Pruned
from onprem.core.verification_report import Beginning, Verification
from onprem.media.send import SendPolicy
from onprem.services import ledger_retention
from onprem.services.checkpoints import Checkpoints
from onprem.services.ledger_export import LedgerExport
from onprem.services.ledger_retention import LedgerRetention
from onprem.services.signing import Signer
from onprem.stamp import Stamp
from onprem.store import checkpoints, jobs
from onprem.store.chain import ACCESS_LOG, LEDGER, Chain
from tests.support.clock import FakeClock
from tests.support.store import OpenStore

DAY = 24 * 3600
RETENTION = Retention(receipts=Duration.parse("10d"), access_log=Duration.parse("4d"))
SIGNER = Signer(bytes(range(32)))


@pytest.fixture
def clock(store: OpenStore) -> FakeClock:
    return store.clock


@pytest.fixture
def retention(store: OpenStore, clock: FakeClock) -> LedgerRetention:
    return LedgerRetention(store.database, clock, RETENTION)


async def one_a_day(store: OpenStore, clock: FakeClock, days: int) -> None:
    """An entry in each chain at the beginning of each day, and a checkpoint."""
    service = Checkpoints(store.database, SIGNER, clock, RETENTION, SendPolicy())
    for _ in range(days):
        for chain in (LEDGER, ACCESS_LOG):
            async with store.database.write() as tx:
                await chain.append(tx, clock.stamp(), "act", {})
        await service.make()
        clock.advance(DAY)


async def numbers(store: OpenStore, chain: Chain) -> list[int]:
    return [entry.seq for entry in await chain.entries(store.database)]


async def verification(store: OpenStore, clock: FakeClock) -> Verification:
    return await LedgerExport(store.database, SIGNER, clock).verification()


async def test_what_is_older_goes_and_what_is_not_stays(
    store: OpenStore, clock: FakeClock, retention: LedgerRetention
) -> None:
    await one_a_day(store, clock, 6)  # they are 6 to 1 days old
    assert await retention.run(clock.now()) == 2
    assert await numbers(store, ACCESS_LOG) == [3, 4, 5, 6]
    assert await numbers(store, LEDGER) == [1, 2, 3, 4, 5, 6, 7]
    found = await verification(store, clock)
    assert found.intact, found.problems
    assert found.access_log is not None
    assert (found.access_log.begins, found.access_log.after) == (Beginning.PRUNED, 2)


async def test_the_entries_that_tell_of_it_stay(
    store: OpenStore, clock: FakeClock, retention: LedgerRetention
) -> None:
    await one_a_day(store, clock, 2)
    clock.advance(30 * DAY)
    await retention.run(clock.now())
    told = await LEDGER.entries(store.database)
    assert [entry.kind for entry in told] == [EntryKind.PRUNED, EntryKind.PRUNED]
    last = [msgspec.json.decode(entry.body, type=Pruned) for entry in told]
    assert [(each.chain, each.seq) for each in last] == [("access_log", 2), ("ledger", 2)]
    assert await numbers(store, ACCESS_LOG) == []
    assert (await ACCESS_LOG.tip(store.database)).seq == 2
    assert (await verification(store, clock)).intact


async def test_entries_are_appended_behind_what_went(
    store: OpenStore, clock: FakeClock, retention: LedgerRetention
) -> None:
    await one_a_day(store, clock, 2)
    clock.advance(30 * DAY)
    await retention.run(clock.now())
    await one_a_day(store, clock, 1)
    assert await numbers(store, ACCESS_LOG) == [3]
    assert (await verification(store, clock)).intact


async def test_it_is_done_once_a_day(
    store: OpenStore, clock: FakeClock, retention: LedgerRetention
) -> None:
    await one_a_day(store, clock, 6)
    assert await retention.run(clock.now()) > 0
    clock.advance(DAY - 1)
    assert await LedgerRetention(store.database, clock, RETENTION).run(clock.now()) == 0
    clock.advance(1)
    assert await retention.run(clock.now()) == 1
    assert await retention.run(clock.now()) == 0


async def test_many_go_in_batches(
    store: OpenStore,
    clock: FakeClock,
    retention: LedgerRetention,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ledger_retention, "_AT_ONCE", 2)
    await one_a_day(store, clock, 5)
    clock.advance(4 * DAY)
    assert await retention.run(clock.now()) == 5
    assert await numbers(store, ACCESS_LOG) == []
    assert [entry.kind for entry in await LEDGER.entries(store.database)][5:] == ["pruned"] * 3
    assert (await verification(store, clock)).intact


async def test_an_entry_goes_only_if_all_before_it_are_as_old(
    store: OpenStore, clock: FakeClock, retention: LedgerRetention
) -> None:
    await one_a_day(store, clock, 2)
    clock.advance(30 * DAY)
    await one_a_day(store, clock, 1)
    # An operator had a wrong clock accepted.
    async with store.database.write() as tx:
        await ACCESS_LOG.append(tx, Stamp(clock.now() - 35 * DAY, 0.0, "boot", True), "act", {})
    await retention.run(clock.now())
    assert await numbers(store, ACCESS_LOG) == [3, 4]


def set_back(clock: FakeClock, seconds: float) -> None:
    """As `onprem doctor --accept-clock` and a start after it."""
    mark = clock.mark()
    clock.sources.wall_seconds -= seconds
    clock.resume(msgspec.structs.replace(mark, time=mark.time - seconds))


@pytest.mark.parametrize("at_once", [1, 10_000])
async def test_entries_of_a_clock_that_ran_ahead_go_with_those_behind_them(
    store: OpenStore,
    clock: FakeClock,
    retention: LedgerRetention,
    monkeypatch: pytest.MonkeyPatch,
    at_once: int,
) -> None:
    monkeypatch.setattr(ledger_retention, "_AT_ONCE", at_once)
    clock.advance(3650 * DAY)
    await one_a_day(store, clock, 2)
    set_back(clock, 3652 * DAY)
    await one_a_day(store, clock, 3)  # numbers 3 to 5
    assert await retention.run(clock.now()) == 0
    clock.advance(1.5 * DAY)
    await retention.run(clock.now())
    assert await numbers(store, ACCESS_LOG) == [4, 5]
    assert (await verification(store, clock)).intact


async def test_entries_of_a_clock_that_ran_ahead_stay_while_none_behind_them_is_old(
    store: OpenStore, clock: FakeClock, retention: LedgerRetention
) -> None:
    await one_a_day(store, clock, 1)
    clock.advance(3650 * DAY)
    await one_a_day(store, clock, 1)
    set_back(clock, 3651 * DAY)
    clock.advance(5 * DAY)
    await one_a_day(store, clock, 1)
    await retention.run(clock.now())
    assert await numbers(store, ACCESS_LOG) == [2, 3]


async def test_a_pause_that_was_noted_in_the_future_is_none(
    store: OpenStore, clock: FakeClock, retention: LedgerRetention
) -> None:
    await one_a_day(store, clock, 1)
    clock.advance(3650 * DAY)
    assert await retention.run(clock.now()) > 0
    set_back(clock, 3650 * DAY)
    await one_a_day(store, clock, 6)
    assert await retention.run(clock.now()) > 0


async def test_the_receipts_of_a_job_stay_as_long_as_it_is_known(
    store: OpenStore, clock: FakeClock, retention: LedgerRetention
) -> None:
    await one_a_day(store, clock, 2)
    async with store.database.write() as tx:
        await tx.execute(
            "INSERT INTO job (id, project_id, kind, status, region, output_life, until_delivered,"
            " created_at, waits_since, updated_at, finished_at)"
            " VALUES ('job', ?, 'diarize', 'failed', 'here', 1, 0, ?, 0, 0, ?)",
            (store.project_id, clock.now() - DAY / 2, clock.now()),
        )
    await one_a_day(store, clock, 20)
    await retention.run(clock.now())
    assert (await numbers(store, LEDGER))[0] == 3
    async with store.database.write() as tx:
        await jobs.delete_tombstones(tx, finished_before=clock.now())
    clock.advance(DAY)
    await retention.run(clock.now())
    assert (await numbers(store, LEDGER))[0] == 14


async def test_why_the_access_log_begins_late_stays_told(
    store: OpenStore, clock: FakeClock, retention: LedgerRetention
) -> None:
    await one_a_day(store, clock, 6)
    await retention.run(clock.now())
    for _ in range(3):
        clock.advance(30 * DAY)
        await retention.run(clock.now())
    found = await verification(store, clock)
    assert found.intact, found.problems
    assert found.access_log is not None and found.access_log.after == 6


async def test_checkpoints_go_with_the_ledger_and_the_last_one_stays(
    store: OpenStore, clock: FakeClock, retention: LedgerRetention
) -> None:
    await one_a_day(store, clock, 12)
    await retention.run(clock.now())
    assert await checkpoints.numbers(store.database, None) == (3, 12)
    assert (await verification(store, clock)).intact
    clock.advance(60 * DAY)
    await retention.run(clock.now())
    assert await checkpoints.numbers(store.database, None) == (12, 12)
    await one_a_day(store, clock, 1)
    assert await checkpoints.numbers(store.database, None) == (12, 13)
    assert (await verification(store, clock)).intact


async def test_nobody_takes_entries_away_without_raising_the_floor(store: OpenStore) -> None:
    async with store.database.write() as tx:
        await LEDGER.append(tx, store.clock.stamp(), "act", {})
    with pytest.raises(sqlite3.IntegrityError):
        async with store.database.write() as tx:
            await tx.execute("DELETE FROM ledger WHERE seq <= 1")
    assert LEDGER.name is ChainName.LEDGER
