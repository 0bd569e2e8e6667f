"""Keeping that fails leaves neither key nor file, and a full disk stops no deletion."""

import errno
import os

import pytest

from onprem.core.receipt import ArtefactKind, DeletionReason
from onprem.errors import StorageFull
from onprem.store import ledger
from onprem.store.artefacts import INLINE_BYTES
from onprem.store.slots import STEP
from tests.support.store import LATER, NOW, OpenStore

SMALL = b"what was said"
LARGE = b"what was said at length. " * (INLINE_BYTES // 20)


async def fill(store: OpenStore) -> None:
    """Leave the database no room to grow."""
    pages = await store.database.fetchone("PRAGMA page_count")
    assert pages is not None
    await store.database._writer.execute(f"PRAGMA max_page_count = {pages[0]}")


@pytest.mark.parametrize("content", [SMALL, LARGE])
async def test_keeping_that_is_rolled_back_leaves_neither_key_nor_file(
    store: OpenStore, content: bytes
) -> None:
    with pytest.raises(ZeroDivisionError):
        async with store.database.write() as tx:
            await store.artefacts.keep(
                tx,
                ArtefactKind.OUTPUT,
                content,
                project_id=store.project_id,
                job_id="job",
                now=NOW,
                due_at=LATER,
            )
            raise ZeroDivisionError
    assert store.slots.occupants() == {}
    assert store.blobs.records() == set()


async def test_a_full_disk_keeps_nothing(store: OpenStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    await store.keep(SMALL)
    before = store.slots.occupants()
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(StorageFull):
            await store.keep(LARGE)
    assert store.blobs.records() == set()
    assert store.slots.occupants() == before


async def test_failed_attempts_to_keep_do_not_make_the_key_file_grow(store: OpenStore) -> None:
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            async with store.database.write() as tx:
                await store.artefacts.keep(
                    tx,
                    ArtefactKind.OUTPUT,
                    SMALL,
                    project_id=store.project_id,
                    job_id="job",
                    now=NOW,
                    due_at=LATER,
                )
                raise ZeroDivisionError
    assert len(store.slots) == STEP


async def test_a_full_database_does_not_stop_keys_from_being_overwritten(
    store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise StorageFull()

    records = [await store.keep(b"one"), await store.keep(LARGE), await store.keep(b"three")]
    with monkeypatch.context() as patch:
        patch.setattr(ledger, "append_receipt", full)
        with pytest.raises(StorageFull):
            await store.artefacts.delete(records, DeletionReason.DEADLINE, now=LATER)
    assert store.slots.occupants() == {}
    assert await ledger.receipts_of_job(store.database, "job") == []

    assert len(await store.artefacts.delete(records, DeletionReason.DEADLINE, now=LATER)) == 3
    assert len(await ledger.receipts_of_job(store.database, "job")) == 3


async def test_sqlite_without_room_refuses_new_records(store: OpenStore) -> None:
    kept = await store.keep(SMALL)
    await fill(store)
    with pytest.raises(StorageFull):
        await store.keep(b"x" * (INLINE_BYTES - 100))
    assert set(store.slots.occupants().values()) == {kept}
