"""The access log: an entry before a read, and none for what is not there any more."""

import asyncio

import msgspec
import pytest

from onprem.core.access import Access, Means, Result
from onprem.core.receipt import ArtefactKind, DeletionReason
from onprem.services.access import AccessLog, Reader
from onprem.store.chain import ACCESS_LOG, LEDGER
from tests.support.clock import FakeClock
from tests.support.store import LATER, NOW, OpenStore


@pytest.fixture
def log(store: OpenStore, clock: FakeClock) -> AccessLog:
    return AccessLog(store.database, store.artefacts, clock)


def reader(store: OpenStore) -> Reader:
    return Reader("key:0badcafe", Means.API, store.project_id, "job")


async def entries(store: OpenStore) -> list[Access]:
    found = await ACCESS_LOG.entries(store.database)
    assert {(entry.kind, entry.job_id) for entry in found} <= {("read", "job")}
    return [msgspec.json.decode(entry.body, type=Access) for entry in found]


async def test_each_record_is_an_entry(store: OpenStore, log: AccessLog) -> None:
    output, edits = await store.keep(b"said"), await store.keep(b"Anna", ArtefactKind.EDITS)
    records = {output: ArtefactKind.OUTPUT, edits: ArtefactKind.EDITS}
    assert await log.admit(reader(store), records)
    assert await entries(store) == [
        Access("key:0badcafe", kind, Means.API, store.project_id, record.hex(), Result.READ)
        for record, kind in records.items()
    ]


@pytest.mark.parametrize("gone", ["deleted", "due"])
async def test_one_that_is_gone_keeps_all_from_being_read(
    store: OpenStore, log: AccessLog, clock: FakeClock, gone: str
) -> None:
    records = {await store.keep(b"said"): ArtefactKind.OUTPUT for _ in range(2)}
    if gone == "due":
        clock.advance(LATER - NOW)
    else:
        await store.artefacts.delete(list(records)[1:], DeletionReason.REQUESTED, now=NOW)
    assert not await log.admit(reader(store), records)
    assert await entries(store) == []


async def test_until_a_moment_before_the_deadline(
    store: OpenStore, log: AccessLog, clock: FakeClock
) -> None:
    record = await store.keep(b"said")
    clock.advance(LATER - NOW - 0.001)
    assert await log.admit(reader(store), {record: ArtefactKind.OUTPUT})


async def test_who_comes_too_late_and_who_hears_it_first(store: OpenStore, log: AccessLog) -> None:
    await log.refused(reader(store), ArtefactKind.EDITS, None)
    await log.heard(reader(store))
    found = [(each.what, each.result, each.artefact_id) for each in await entries(store)]
    assert found == [("edits", "expired", None), ("output", "read", None)]


async def test_no_read_is_noted_after_the_receipt(store: OpenStore, log: AccessLog) -> None:
    """However many read at once while it is deleted."""
    record = await store.keep(b"said")
    records = {record: ArtefactKind.OUTPUT}
    reads = [log.admit(reader(store), records) for _ in range(20)]
    deletion = store.artefacts.delete([record], DeletionReason.REQUESTED, now=NOW)
    results = await asyncio.gather(*reads[:10], deletion, *reads[10:])
    assert len(await entries(store)) == sum(each is True for each in results) < 20
    for chain in (ACCESS_LOG, LEDGER):
        assert await chain.first_broken(store.database) is None
