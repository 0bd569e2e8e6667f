"""The database of a backup: what is in it, decided column by column, and how it is copied."""

import sqlite3
from contextlib import closing
from pathlib import Path
from unittest.mock import patch

import pytest

from onprem.core.act import Act, ActKind
from onprem.core.receipt import ArtefactKind
from onprem.errors import DataDirectoryDamaged, StoreBusy
from onprem.store import backup, ledger, media
from onprem.store.backup import COLUMNS, LEFT_OUT, contents, copy_rows
from onprem.store.chain import LEDGER
from tests.support.people import OPERATOR
from tests.support.store import NOW, OpenStore


async def note(store: OpenStore, count: int) -> None:
    async with store.database.write() as tx:
        for _ in range(count):
            await ledger.append_act(tx, store.clock.stamp(), Act(ActKind.SHARED, OPERATOR))


def read(path: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute(sql).fetchall()


async def test_each_column_is_copied_or_left_out_for_a_reason(store: OpenStore) -> None:
    known = {
        (table, column)
        for (table,) in await store.database.fetchall(
            "SELECT name FROM sqlite_schema WHERE type = 'table'"
        )
        for _, column, *_ in await store.database.fetchall(f"PRAGMA table_info({table})")
    }
    copied = {(table, column) for table, columns in COLUMNS.items() for column in columns}
    left_out = {
        (table, column)
        for table, column in known
        if table in LEFT_OUT or f"{table}.{column}" in LEFT_OUT
    }
    assert copied | left_out == known
    assert not copied & left_out


async def test_no_byte_of_what_is_left_out_is_in_it(store: OpenStore, tmp_path: Path) -> None:
    await store.submit("job-1")
    kept = await store.keep(b"said", ArtefactKind.OUTPUT, "job-1")
    record = await store.keep(b"uploaded", ArtefactKind.MEDIA)
    async with store.database.write() as tx:
        await media.put(tx, store.project_id, "marker-of-a-name", record)
        await media.spend_link(tx, b"marker-of-a-link", now=NOW, expires_at=NOW + 60)
        await tx.execute(
            "INSERT INTO delivery (id, job_id, kind, state, sha256)"
            " VALUES ('d', 'job-1', 'webhook', 'waiting', 'marker-of-an-output')"
        )
        await tx.execute(
            "INSERT INTO idempotency VALUES (?, X'6d61726b6572', X'6d61726b6572', 'job-1', ?)",
            (store.project_id, NOW + 60),
        )
    (sealed,) = (
        await store.database.fetchall("SELECT sealed FROM artefact WHERE id = ?", (kept,))
    )[0]
    slot = store.directory.slots.read_bytes()[:64]

    copy_rows(store.database.path, tmp_path / "copy")

    raw = (tmp_path / "copy").read_bytes()
    assert kept in raw and b"job-1" in raw
    for absent in (sealed, slot[16:56], b"marker", b"uploaded", b"said"):
        assert absent not in raw


async def test_chains_are_copied_whole_in_pieces(store: OpenStore, tmp_path: Path) -> None:
    await note(store, 25)
    with patch.object(backup, "_BATCH", 10):
        copy_rows(store.database.path, tmp_path / "copy")
    found = contents(tmp_path / "copy")
    assert found.counts["ledger"] == 25
    assert found.ledger == (await LEDGER.tip(store.database)).said
    assert found.access_log.size == 0


async def test_what_outlived_its_retention_meanwhile_is_not_in_it(
    store: OpenStore, tmp_path: Path
) -> None:
    """Its head was copied already when it was taken away."""
    await note(store, 25)
    copied = backup._copy_entries

    def copy_and_prune(copy: sqlite3.Connection, chain: str, at_most: int) -> int:
        count = copied(copy, chain, at_most)
        if chain == "ledger" and at_most > 0 and count == 10:
            with closing(sqlite3.connect(store.database.path)) as other:
                last = other.execute("SELECT seq, digest FROM ledger WHERE seq = 15").fetchone()
                if last is not None:
                    other.execute("INSERT INTO chain_floor VALUES ('ledger', ?, ?)", last)
                    other.execute("DELETE FROM ledger WHERE seq <= 15")
                    other.commit()
        return count

    with patch.object(backup, "_BATCH", 10), patch.object(backup, "_copy_entries", copy_and_prune):
        copy_rows(store.database.path, tmp_path / "copy")

    assert read(tmp_path / "copy", "SELECT min(seq), count(*) FROM ledger") == [(16, 10)]
    assert read(tmp_path / "copy", "SELECT seq FROM chain_floor") == [(15,)]


async def test_it_is_one_moment_while_others_write(store: OpenStore, tmp_path: Path) -> None:
    execute = sqlite3.Connection.execute

    class Meddling(sqlite3.Connection):
        def execute(self, sql: str, *parameters: object) -> sqlite3.Cursor:
            if sql.startswith("INSERT INTO main.project "):
                with closing(sqlite3.connect(store.database.path)) as other:
                    execute(other, "UPDATE project SET name = 'later'")
                    other.commit()
            return execute(self, sql, *parameters)

    connect = sqlite3.connect
    with patch.object(sqlite3, "connect", lambda *a, **b: connect(*a, **b, factory=Meddling)):
        copy_rows(store.database.path, tmp_path / "copy")

    assert read(tmp_path / "copy", "SELECT name FROM project") == [("default",)]
    row = await store.database.fetchone("SELECT name FROM project")
    assert row == ("later",)


async def test_a_database_that_somebody_holds_is_busy(store: OpenStore, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "held", isolation_level=None)) as other:
        other.execute("CREATE TABLE held (x)")
        other.execute("BEGIN EXCLUSIVE")
        with patch.dict(backup.PRAGMAS, {"busy_timeout": 0}), pytest.raises(StoreBusy):
            copy_rows(tmp_path / "held", tmp_path / "copy")


def test_what_is_no_database_has_no_contents(tmp_path: Path) -> None:
    (tmp_path / "copy").write_bytes(b"no database at all" * 100)
    with pytest.raises(DataDirectoryDamaged):
        contents(tmp_path / "copy")
