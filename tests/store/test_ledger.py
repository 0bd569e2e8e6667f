"""The ledger: nobody edits it through SQL, and whoever edits the file breaks the chain."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from onprem.core.receipt import DeletionReason
from onprem.store.chain import LEDGER
from onprem.store.database import Database
from tests.support.store import LATER, OpenStore

ENTRIES = 5


@pytest.fixture
async def written(store: OpenStore) -> OpenStore:
    """A store whose ledger has some entries."""
    records = [await store.keep(f"record {index}".encode()) for index in range(ENTRIES)]
    await store.artefacts.delete(records, DeletionReason.DEADLINE, now=LATER)
    return store


async def first_broken_in_a_copy(
    store: OpenStore, folder: Path, forge: Callable[[sqlite3.Connection], object]
) -> int | None:
    """What verifying says after `forge` worked on a copy of the file, its triggers dropped."""
    await store.database.truncate_log()
    path = folder / "copy.sqlite3"
    shutil.copy(store.database.path, path)
    forger = sqlite3.connect(path)
    forger.executescript(
        "DROP TRIGGER ledger_keeps_its_entries; DROP TRIGGER ledger_entries_never_change;"
        "DROP TRIGGER ledger_entries_come_last;"
    )
    forge(forger)
    forger.commit()
    forger.close()
    copy = Database(path)
    await copy.open()
    try:
        return await LEDGER.first_broken(copy)
    finally:
        await copy.close()


async def test_an_intact_ledger_verifies(written: OpenStore, tmp_path: Path) -> None:
    assert await written.database.fetchone("SELECT count(*) FROM ledger") == (ENTRIES,)
    assert await LEDGER.first_broken(written.database) is None
    assert await first_broken_in_a_copy(written, tmp_path, lambda _: None) is None


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM ledger",
        "DELETE FROM ledger WHERE seq = 5",
        "UPDATE ledger SET body = '{}' WHERE seq = 1",
        "UPDATE ledger SET at = 0",
        "INSERT OR REPLACE INTO ledger SELECT seq, at, wall, boot_id,"
        " synchronised, kind, job_id, '{}', digest FROM ledger",
    ],
)
async def test_no_statement_changes_an_entry(written: OpenStore, statement: str) -> None:
    before = await written.database.fetchall("SELECT * FROM ledger")
    with pytest.raises(sqlite3.IntegrityError):
        async with written.database.write() as tx:
            await tx.execute(statement)
    assert await written.database.fetchall("SELECT * FROM ledger") == before


@pytest.mark.parametrize(
    ("forgery", "broken"),
    [
        ("UPDATE ledger SET body = replace(body, '\"verified\":true', '\"verified\":false')", 1),
        ("UPDATE ledger SET body = replace(body, 'deadline', 'crash') WHERE seq = 3", 3),
        ("UPDATE ledger SET at = at + 0.001 WHERE seq = 2", 2),
        ("UPDATE ledger SET kind = 'key' WHERE seq = 4", 4),
        ("UPDATE ledger SET wall = wall - 1 WHERE seq = 4", 4),
        ("UPDATE ledger SET synchronised = NOT synchronised WHERE seq = 4", 4),
        ("UPDATE ledger SET boot_id = 'other' WHERE seq = 4", 4),
        ("UPDATE ledger SET job_id = 'other' WHERE seq = 4", 4),
        ("UPDATE ledger SET digest = zeroblob(32) WHERE seq = 2", 2),
        ("DELETE FROM ledger WHERE seq = 1", 1),
        ("DELETE FROM ledger WHERE seq = 3", 3),
        ("UPDATE ledger SET seq = 99 WHERE seq = 5", 5),
        (
            "UPDATE ledger SET seq = -2 WHERE seq = 2; UPDATE ledger SET seq = 2 WHERE seq = 3;"
            "UPDATE ledger SET seq = 3 WHERE seq = -2",
            2,
        ),
    ],
)
async def test_a_forged_entry_is_found(
    written: OpenStore, tmp_path: Path, forgery: str, broken: int
) -> None:
    def forge(forger: sqlite3.Connection) -> None:
        forger.executescript(forgery)
        assert forger.total_changes > 0

    assert await first_broken_in_a_copy(written, tmp_path, forge) == broken


async def test_one_flipped_bit_is_found(written: OpenStore, tmp_path: Path) -> None:
    def forge(forger: sqlite3.Connection) -> None:
        ((body,),) = forger.execute("SELECT body FROM ledger WHERE seq = 4").fetchall()
        at = body.index("artefactId") + 14
        flipped = body[:at] + chr(ord(body[at]) ^ 1) + body[at + 1 :]
        forger.execute("UPDATE ledger SET body = ? WHERE seq = 4", (flipped,))

    assert await first_broken_in_a_copy(written, tmp_path, forge) == 4


async def test_an_entry_of_a_rolled_back_transaction_is_not_there(written: OpenStore) -> None:
    with pytest.raises(ZeroDivisionError):
        async with written.database.write() as tx:
            await LEDGER.append(tx, written.clock.stamp(), "key", {})
            raise ZeroDivisionError
    async with written.database.write() as tx:
        await LEDGER.append(tx, written.clock.stamp(), "key", {"b": 1, "a": 2})
    last = await written.database.fetchone("SELECT seq, body FROM ledger ORDER BY seq DESC")
    assert last == (ENTRIES + 1, '{"a":2,"b":1}')
    assert await LEDGER.first_broken(written.database) is None
