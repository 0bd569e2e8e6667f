"""Exports of a real store, and what verifying the store itself finds."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from onprem.config.quantities import Duration
from onprem.config.settings import Retention
from onprem.core.ledger_verification import verify
from onprem.core.verification_report import Beginning
from onprem.errors import ExportUnwritten, LedgerMoved
from onprem.media.send import SendPolicy
from onprem.services import ledger_export
from onprem.services.checkpoints import Checkpoints
from onprem.services.export_file import lines_of, write_export
from onprem.services.ledger_export import LedgerExport
from onprem.services.ledger_retention import LedgerRetention
from onprem.services.signing import Signer, installation_signer
from onprem.store.chain import ACCESS_LOG, LEDGER
from onprem.store.secrets import SecretStore
from tests.support.store import NOW, OpenStore, opened_store

SIGNER = Signer(bytes(range(32)))
DAY = 24 * 3600.0
RETENTION = Retention(receipts=Duration.parse("3d"), access_log=Duration.parse("2d"))


async def live(store: OpenStore, steps: list[str]) -> None:
    """Entries, checkpoints, days that pass, and sweeps."""
    checkpoints = Checkpoints(store.database, SIGNER, store.clock, RETENTION, SendPolicy())
    for step in steps:
        if step in ("ledger", "access_log"):
            async with store.database.write() as tx:
                chain = LEDGER if step == "ledger" else ACCESS_LOG
                await chain.append(tx, store.clock.stamp(), "act", {"step": step})
        elif step == "checkpoint":
            await checkpoints.make()
        elif step == "day":
            store.clock.advance(DAY)
        else:
            retention = LedgerRetention(store.database, store.clock, RETENTION)
            await retention.run(store.clock.now())


async def exported(store: OpenStore, since: float | None = None) -> list[bytes]:
    pages = LedgerExport(store.database, SIGNER, store.clock).pages(since)
    return [line async for page in pages for line in page]


STEPS = st.lists(
    st.sampled_from(["ledger", "access_log", "checkpoint", "day", "prune"]), max_size=25
)


@settings(deadline=None, max_examples=40)
@given(STEPS, st.integers(0, 6), st.integers(1, 3))
async def test_whatever_an_installation_lives_through_its_exports_verify(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str], days: int, page: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger_export, "_PAGE", page)
        async with opened_store(tmp_path_factory.mktemp("store") / "data") as store:
            await live(store, steps)
            for since in (None, NOW + days * DAY):
                found = verify(await exported(store, since), SIGNER.public_key, None)
                assert (found.intact, found.problems) == (True, [])
            assert (await LedgerExport(store.database, SIGNER, store.clock).verification()).intact


async def test_an_export_since_a_day_begins_there(store: OpenStore) -> None:
    await live(store, ["ledger", "access_log", "checkpoint", "day"] * 3)
    found = verify(await exported(store, NOW + DAY), SIGNER.public_key, None)
    assert found.ledger is not None and found.checkpoints == 2
    assert (found.ledger.begins, found.ledger.after, found.ledger.last) == (Beginning.SINCE, 1, 3)
    beyond = verify(await exported(store, NOW + 9 * DAY), SIGNER.public_key, None)
    assert beyond.intact and beyond.ledger is not None
    assert (beyond.ledger.after, beyond.ledger.last, beyond.checkpoints) == (3, 3, 0)


@pytest.mark.parametrize(
    ("forgery", "where"),
    [
        ("UPDATE {} SET body = '{{}}' WHERE seq = 2", "entry 2"),
        ("DELETE FROM {} WHERE seq = 2", "entry 2"),
        ("DELETE FROM {} WHERE seq = 3", "checkpoint 1"),
    ],
)
@pytest.mark.parametrize("table", ["ledger", "access_log"])
async def test_what_somebody_did_to_the_file_is_found(
    store: OpenStore, forgery: str, where: str, table: str
) -> None:
    await live(store, [table] * 3 + ["checkpoint"])
    async with store.database.write() as tx:
        for name in ("keeps_its_entries", "entries_never_change"):
            await tx.execute(f"DROP TRIGGER {table}_{name}")
        await tx.execute(forgery.format(table))
    found = await LedgerExport(store.database, SIGNER, store.clock).verification()
    assert not found.intact
    assert where in found.problems[0].where


async def test_a_tail_that_was_cut_off_shows_however_far_back_one_looks(store: OpenStore) -> None:
    await live(store, ["ledger", "ledger", "checkpoint", "day", "ledger"])
    async with store.database.write() as tx:
        await tx.execute("DROP TRIGGER ledger_keeps_its_entries")
        await tx.execute("DELETE FROM ledger WHERE seq > 1")
    export = LedgerExport(store.database, SIGNER, store.clock)
    outline = await export.outline(None, NOW + 1)
    lines = [line async for page in export.pages_of(outline) for line in page]
    (problem,) = verify(lines, SIGNER.public_key, None).problems
    assert problem.where == "checkpoint 1"


async def test_an_export_during_which_entries_go_has_no_end(store: OpenStore) -> None:
    await live(store, ["ledger", "day", "ledger", "day", "day", "day"])
    pages = LedgerExport(store.database, SIGNER, store.clock).pages()
    lines = [*await anext(pages)]
    await live(store, ["prune"])
    with pytest.raises(LedgerMoved):
        async for page in pages:
            lines += page
    assert not verify(lines, SIGNER.public_key, None).intact
    assert verify(await exported(store), SIGNER.public_key, None).intact


async def one_page() -> AsyncIterator[list[bytes]]:
    yield [b"one\n", b"two\n"]


async def test_a_file_is_written_for_its_owner_and_never_over_another(tmp_path: Path) -> None:
    path = tmp_path / "export.jsonl"
    assert await write_export(path, one_page()) == 8
    assert list(lines_of(path)) == [b"one\n", b"two\n"]
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(ExportUnwritten, match="File exists"):
        await write_export(path, one_page())
    assert path.read_bytes() == b"one\ntwo\n"


async def test_a_file_that_cannot_be_finished_is_removed(tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[list[bytes]]:
        yield [b"one\n"]
        raise OSError(28, os.strerror(28))

    path = tmp_path / "export.jsonl"
    with pytest.raises(ExportUnwritten, match="No space left"):
        await write_export(path, broken())
    assert not path.exists()


async def test_an_installation_signs_by_one_key_for_ever(store: OpenStore) -> None:
    secrets = SecretStore(store.database, bytes(32))
    first = await installation_signer(store.database, secrets, store.clock)
    again = await installation_signer(store.database, secrets, store.clock)
    assert first.public_key == again.public_key
    rows = await store.database.fetchall("SELECT wrapped FROM secret WHERE purpose = 'signing'")
    assert len(rows) == 1
    assert first.public_key not in rows[0][0]
