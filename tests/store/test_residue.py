"""After a deletion no byte of the content, and no byte of its key, is in any file of ours."""

import secrets
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from onprem.core.receipt import ArtefactKind, DeletionReason
from onprem.errors import PurgeIncomplete
from onprem.store.database import PRAGMAS
from onprem.store.slots import SLOT_BYTES
from tests.support.store import (
    LATER,
    NOW,
    OpenStore,
    bytes_below,
    log_of,
    opened_store,
    size_of,
)

KINDS = [ArtefactKind.OUTPUT, ArtefactKind.REQUEST, ArtefactKind.MEDIA]
SIZES = [100, 60_000, 200_000]


@pytest.fixture
async def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OpenStore]:
    monkeypatch.setitem(PRAGMAS, "busy_timeout", 50)
    async with opened_store(tmp_path / "data") as store:
        yield store


def parts(secret: bytes) -> list[bytes]:
    """Every run of 16 bytes: no file may hold even a piece."""
    return [secret[start : start + 16] for start in range(len(secret) - 15)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", SIZES)
async def test_nothing_is_left_with_a_reader_attached(
    store: OpenStore, kind: ArtefactKind, size: int
) -> None:
    marker = secrets.token_bytes(32)
    record = await store.keep((marker * (size // 32 + 1))[:size], kind)
    slot = await store.slot_of(record)
    key = store.slots.read(slot, record)
    raw = store.directory.slots.read_bytes()[slot * SLOT_BYTES :][:SLOT_BYTES]
    wrapped = raw[16:56]
    assert key is not None and wrapped in bytes_below(store.directory.slots.parent)
    # Slow, and it holds the state in which the record is there.
    reader = sqlite3.connect(store.directory.database, isolation_level=None)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM artefact").fetchone() == (1,)
    assert await store.artefacts.read(record, now=NOW) is not None

    with pytest.raises(PurgeIncomplete):
        await store.artefacts.delete([record], DeletionReason.DEADLINE, now=LATER)

    everything = bytes_below(store.directory.root)
    assert size_of(log_of(store.database)) > 0
    for secret in (marker, key, wrapped):
        assert not any(part in everything for part in parts(secret))
    reader.close()


@pytest.mark.parametrize("size", SIZES)
async def test_even_the_ciphertext_is_gone_once_no_reader_holds_the_log(
    store: OpenStore, size: int
) -> None:
    record = await store.keep(secrets.token_bytes(size))
    row = await store.database.fetchone("SELECT sealed FROM artefact WHERE id = ?", (record,))
    assert row is not None
    sealed = row[0] or next(store.blobs.segments(record))
    assert sealed[:4000] in bytes_below(store.directory.root) or size > 4000

    await store.artefacts.delete([record], DeletionReason.DEADLINE, now=LATER)

    everything = bytes_below(store.directory.root)
    for start in range(0, len(sealed) - 64, 512):
        assert sealed[start : start + 64] not in everything


async def test_what_was_rolled_back_leaves_no_key(store: OpenStore) -> None:
    with pytest.raises(ZeroDivisionError):
        async with store.database.write() as tx:
            await store.artefacts.keep(
                tx,
                ArtefactKind.OUTPUT,
                b"x" * 100,
                project_id=store.project_id,
                job_id="job",
                now=NOW,
                due_at=LATER,
            )
            assert store.slots.occupants() != {}
            raise ZeroDivisionError
    assert not any(store.directory.slots.read_bytes())
