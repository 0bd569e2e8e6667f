"""What a start mends: slots without rows, blobs without rows, rows without keys."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from onprem.core.receipt import DeletionReason
from onprem.errors import StorageFull
from onprem.store import ledger
from onprem.store.database import PRAGMAS
from onprem.store.seal import new_key
from onprem.store.slots import STEP
from tests.support.store import NOW, OpenStore, opened_store

STRAY = b"s" * 16
LARGE = b"0123456789" * 10_000


async def test_a_sound_directory_needs_no_mending(store: OpenStore) -> None:
    small, large = await store.keep(b"small"), await store.keep(LARGE)
    assert await store.recover() == 0
    assert await store.artefacts.read(small, now=NOW) == b"small"
    assert await store.artefacts.read(large, now=NOW) == LARGE


async def test_a_key_without_a_row_is_erased(store: OpenStore) -> None:
    kept = await store.keep(b"kept")
    store.slots.write(7, STRAY, new_key())
    assert await store.recover() == 1
    assert set(store.slots.occupants().values()) == {kept}


async def test_a_key_beyond_the_known_slots_is_erased(store: OpenStore) -> None:
    await store.keep(b"kept")
    store.slots.grow(STEP)
    store.slots.write(STEP + 9, STRAY, new_key())
    assert await store.recover() == 1
    assert list(store.slots.occupants()) == [0]


async def test_a_blob_without_a_row_is_unlinked(store: OpenStore) -> None:
    large = await store.keep(LARGE)
    with store.artefacts.new_blob(STRAY) as blob:
        blob.write(b"half an upload")
        blob.keep()
    assert await store.recover() == 1
    assert store.blobs.records() == {large}


async def test_a_deletion_that_broke_off_is_finished_with_its_receipt(store: OpenStore) -> None:
    small, large = await store.keep(b"small"), await store.keep(LARGE)
    for record in (small, large):
        store.slots.erase(await store.slot_of(record), record)
    store.blobs.remove(large)

    assert await store.recover() == 2

    receipts = await ledger.receipts_of_job(store.database, "job")
    assert {receipt.artefact_id for receipt in receipts} == {small.hex(), large.hex()}
    assert {receipt.reason for receipt in receipts} == {DeletionReason.CRASH}
    assert await store.database.fetchall("SELECT * FROM artefact") == []


async def test_a_disk_without_room_for_receipts_keeps_nobody_from_starting(
    store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise StorageFull()

    record = await store.keep(b"small")
    store.slots.erase(await store.slot_of(record), record)
    with monkeypatch.context() as patch:
        patch.setattr(ledger, "append_receipt", full)
        assert await store.recover() == 0
    assert await store.recover() == 1


async def test_a_reader_of_the_log_keeps_nobody_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PRAGMAS, "busy_timeout", 50)
    async with opened_store(tmp_path / "data") as store:
        record = await store.keep(b"small")
        store.slots.erase(await store.slot_of(record), record)
        with closing(sqlite3.connect(store.directory.database, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM artefact").fetchall()
            assert await store.recover() == 1
            assert await store.recover() == 0
        verification = store.artefacts.verification
        assert verification.count() == 3  # by what was mended, and by each start
        assert await verification.unresolved(store.database) == 1


async def test_mending_twice_mends_once(store: OpenStore) -> None:
    record = await store.keep(b"small")
    store.slots.erase(await store.slot_of(record), record)
    assert await store.recover() == 1
    assert await store.recover() == 0


async def test_what_was_kept_survives_another_opening(tmp_path: Path) -> None:
    async with opened_store(tmp_path / "data") as store:
        record = await store.keep(LARGE)
    async with opened_store(tmp_path / "data") as store:
        assert await store.recover() == 0
        assert await store.artefacts.read(record, now=NOW) == LARGE
