"""Artefacts: kept as ciphertext, read until the deadline, deleted once with one receipt."""

import asyncio

import pytest

from onprem.core.receipt import ArtefactKind, DeletionMethod, DeletionReason, Receipt
from onprem.errors import DataDirectoryDamaged
from onprem.store import ledger
from onprem.store.artefacts import INLINE_BYTES, Artefact
from onprem.store.seal import SEGMENT
from onprem.store.slots import STEP
from tests.support.store import LATER, NOW, OpenStore, bytes_below

SMALL = b"what was said"
LARGE = b"what was said at length. " * (INLINE_BYTES // 20)


async def receipts(store: OpenStore) -> list[Receipt]:
    return await ledger.receipts_of_job(store.database, "job")


async def delete(store: OpenStore, *records: bytes) -> list[Receipt]:
    return await store.artefacts.delete(list(records), DeletionReason.DEADLINE, now=LATER)


@pytest.mark.parametrize("content", [b"", SMALL, LARGE, b"x" * (SEGMENT + 1)])
async def test_what_is_kept_can_be_read(store: OpenStore, content: bytes) -> None:
    record = await store.keep(content)
    assert await store.artefacts.read(record, now=NOW) == content


async def test_no_file_holds_the_plaintext(store: OpenStore) -> None:
    await store.keep(SMALL)
    await store.keep(LARGE)
    assert b"what was said" not in bytes_below(store.directory.root)


async def test_large_content_goes_to_a_blob_file_and_small_to_the_row(store: OpenStore) -> None:
    await store.keep(SMALL)
    assert store.blobs.records() == set()
    record = await store.keep(LARGE)
    assert store.blobs.records() == {record}


async def test_nothing_is_read_at_or_after_its_deadline(store: OpenStore) -> None:
    record = await store.keep(SMALL)
    assert await store.artefacts.read(record, now=LATER - 0.001) == SMALL
    assert await store.artefacts.read(record, now=LATER) is None


async def test_what_is_due_is_found_at_its_deadline_and_not_before(store: OpenStore) -> None:
    record = await store.keep(SMALL)
    assert await store.artefacts.due(LATER - 0.001) == []
    (found,) = await store.artefacts.due(LATER)
    assert found == Artefact(
        id=record,
        kind=ArtefactKind.OUTPUT,
        project_id=store.project_id,
        job_id="job",
        slot=0,
        size=len(SMALL),
        created_at=NOW,
        due_at=LATER,
    )


@pytest.mark.parametrize("content", [SMALL, LARGE])
async def test_a_deletion_leaves_a_receipt_and_nothing_else(
    store: OpenStore, content: bytes
) -> None:
    record = await store.keep(content)
    slot = await store.slot_of(record)

    (receipt,) = await delete(store, record)

    assert receipt == Receipt(
        artefact_id=record.hex(),
        kind=ArtefactKind.OUTPUT,
        created_at=NOW,
        due_at=LATER,
        deleted_at=LATER,
        reason=DeletionReason.DEADLINE,
        method=DeletionMethod.KEY_OVERWRITTEN,
        verified=True,
        region="here",
        project_id=store.project_id,
        wall_clock=NOW,
        boot_id="boot-1",
        synchronised=True,
        job_id="job",
    )
    assert await receipts(store) == [receipt]
    assert await store.artefacts.read(record, now=NOW) is None
    assert store.slots.read(slot, record) is None
    assert store.blobs.records() == set()
    assert await store.database.fetchall("SELECT * FROM artefact") == []


async def test_deleting_twice_is_one_receipt(store: OpenStore) -> None:
    record = await store.keep(SMALL)
    await delete(store, record)
    assert await delete(store, record) == []
    assert len(await receipts(store)) == 1


async def test_two_deletions_at_once_are_one_receipt(store: OpenStore) -> None:
    record = await store.keep(LARGE)
    both = await asyncio.gather(delete(store, record), delete(store, record))
    assert sorted(len(each) for each in both) == [0, 1]
    assert len(await receipts(store)) == 1


async def test_a_slot_is_used_again_only_after_the_receipt(store: OpenStore) -> None:
    first = await store.keep(b"first")
    slot = await store.slot_of(first)
    async with store.database.write() as tx:
        await store.artefacts.delete_within(tx, first, DeletionReason.DEADLINE, now=LATER)
        assert (
            await store.database.fetchall("SELECT * FROM free_slot WHERE slot = ?", (slot,)) == []
        )
    second = await store.keep(b"second")
    assert await store.slot_of(second) == slot
    assert await store.artefacts.read(second, now=NOW) == b"second"


async def test_a_deletion_that_is_rolled_back_can_be_repeated(store: OpenStore) -> None:
    record = await store.keep(LARGE)
    with pytest.raises(ZeroDivisionError):
        async with store.database.write() as tx:
            await store.artefacts.delete_within(tx, record, DeletionReason.DEADLINE, now=LATER)
            raise ZeroDivisionError
    assert await receipts(store) == []
    assert await store.artefacts.read(record, now=NOW) is None
    await delete(store, record)
    assert [receipt.verified for receipt in await receipts(store)] == [True]


async def test_the_key_file_grows_when_all_slots_are_taken(store: OpenStore) -> None:
    first = await store.keep(SMALL)
    async with store.database.write() as tx:
        await tx.execute("DELETE FROM free_slot WHERE slot < ?", (STEP - 1,))
    last = await store.keep(SMALL)
    further = await store.keep(SMALL)
    assert [await store.slot_of(record) for record in (first, last, further)] == [0, STEP - 1, STEP]
    assert len(store.slots) == 2 * STEP


async def test_a_swapped_ciphertext_does_not_open(store: OpenStore) -> None:
    one, two = await store.keep(b"one"), await store.keep(b"two")
    async with store.database.write() as tx:
        await tx.execute(
            "UPDATE artefact SET sealed = (SELECT sealed FROM artefact WHERE id = ?) WHERE id = ?",
            (one, two),
        )
    with pytest.raises(DataDirectoryDamaged):
        await store.artefacts.read(two, now=NOW)


async def test_a_blob_deleted_while_it_is_opened_reads_as_gone(store: OpenStore) -> None:
    record = await store.keep(LARGE)
    segments = await store.artefacts.open(record, now=NOW)
    assert segments is not None
    await delete(store, record)
    with pytest.raises(FileNotFoundError):
        list(segments)

    other = await store.keep(LARGE)
    store.blobs.remove(other)
    assert await store.artefacts.read(other, now=NOW) is None


async def test_a_worker_copy_has_no_slot_and_ends_with_a_receipt(store: OpenStore) -> None:
    async with store.database.write() as tx:
        record = await store.artefacts.note_worker_copy(
            tx, project_id=store.project_id, job_id="job", now=NOW
        )
    assert await store.artefacts.worker_copies("job") == [record]
    assert await store.artefacts.due(LATER) == []
    (receipt,) = await store.artefacts.delete([record], DeletionReason.JOB_ENDED, now=NOW)
    assert receipt.method is DeletionMethod.MEMORY_FREED
    assert receipt.verified
    assert await store.artefacts.worker_copies("job") == []
