"""One record that the disk will not let go of keeps neither the others nor the start."""

import errno
import logging
from pathlib import Path

import pytest

from onprem.core.receipt import ArtefactKind, DeletionReason
from onprem.store import ledger, media
from onprem.store.artefacts import INLINE_BYTES
from onprem.store.blobs import BlobFolder
from onprem.store.seal import new_key
from onprem.store.slots import SlotFile
from tests.support.store import LATER, NOW, OpenStore

LARGE = b"what was said at length. " * (INLINE_BYTES // 20)
STRAY = b"s" * 16
STRAY_SLOT = 7


def resist(monkeypatch: pytest.MonkeyPatch, stubborn: bytes) -> None:
    """The blob of `stubborn` cannot be unlinked."""
    remove = BlobFolder.remove

    def refusing(blobs: BlobFolder, record: bytes) -> bool:
        if record == stubborn:
            raise OSError(errno.EIO, "Input/output error")
        return remove(blobs, record)

    monkeypatch.setattr(BlobFolder, "remove", refusing)


async def receipted(store: OpenStore) -> set[str]:
    found = await ledger.receipts_of_job(store.database, "job")
    return {receipt.artefact_id for receipt in found}


async def test_the_others_are_deleted_and_the_one_is_named(
    store: OpenStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stubborn, *others = [await store.keep(content) for content in (LARGE, b"two", LARGE)]
    with monkeypatch.context() as patch:
        resist(patch, stubborn)
        with pytest.raises(OSError, match="Input/output error"):
            await store.artefacts.delete([stubborn, *others], DeletionReason.DEADLINE, now=LATER)
    assert await receipted(store) == {record.hex() for record in others}
    assert stubborn.hex() in caplog.text and "Input/output error" not in caplog.text

    assert len(await store.artefacts.delete([stubborn], DeletionReason.DEADLINE, now=LATER)) == 1


async def test_old_versions_of_media_are_deleted_one_by_one(
    store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    stubborn, other = [await store.keep(LARGE, ArtefactKind.MEDIA) for _ in range(2)]
    resist(monkeypatch, stubborn)
    with pytest.raises(OSError, match="Input/output error"):
        await media.delete_superseded(store.database, store.artefacts, now=NOW)
    assert await receipted(store) == {other.hex()}


async def test_a_job_bound_in_the_last_moment_keeps_its_media(
    store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = await store.keep(LARGE, ArtefactKind.MEDIA)
    fetchall = store.database.fetchall

    async def bound_after_the_look(sql: str) -> list[object]:
        found: list[object] = list(await fetchall(sql))
        async with store.database.write() as tx:
            await media.put(tx, store.project_id, "media://again", record)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(store.database, "fetchall", bound_after_the_look)
        assert await media.delete_superseded(store.database, store.artefacts, now=NOW) == []
    assert await store.artefacts.read(record, now=NOW) == LARGE


async def test_a_start_mends_the_rest_and_goes_on(
    store: OpenStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stubborn, other = await store.keep(LARGE), await store.keep(b"other")
    for record in (stubborn, other):
        store.slots.erase(await store.slot_of(record), record)
    with monkeypatch.context() as patch:
        resist(patch, stubborn)
        assert await store.recover() == 1
    assert await receipted(store) == {other.hex()}
    assert stubborn.hex() in caplog.text
    assert await store.recover() == 1


async def test_a_left_over_that_resists_does_not_stop_a_start(
    store: OpenStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> bool:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    (Path(store.directory.blobs) / STRAY.hex()).touch()
    store.slots.write(STRAY_SLOT, STRAY, new_key())
    with monkeypatch.context() as patch, caplog.at_level(logging.ERROR):
        patch.setattr(BlobFolder, "remove", refuse)
        patch.setattr(SlotFile, "erase", refuse)
        assert await store.recover() == 0
    assert caplog.text.count("cannot be taken away: PermissionError") == 2
    assert await store.recover() == 2
