"""SQLite: its settings hold on each connection, and a transaction is all or nothing."""

import asyncio
import resource
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiosqlite
import pytest

from onprem.errors import DiskFailed, StorageFull, StoreBusy
from onprem.store import database as module
from onprem.store.database import PRAGMAS, Database
from tests.support.store import log_of, size_of


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(tmp_path / "db.sqlite3")
    await database.open()
    async with database.write() as tx:
        await tx.execute("CREATE TABLE note (text TEXT)")
    yield database
    await database.close()


async def notes(database: Database) -> list[str]:
    return [row[0] for row in await database.fetchall("SELECT text FROM note ORDER BY rowid")]


@pytest.mark.parametrize("side", ["_writer", "_reader"])
async def test_each_connection_has_every_setting(database: Database, side: str) -> None:
    connection: aiosqlite.Connection = getattr(database, side)
    for name, value in PRAGMAS.items():
        ((found,),) = await connection.execute_fetchall(f"PRAGMA {name}")
        assert (name, found) == (name, value)


async def test_secure_delete_holds_where_the_build_leaves_it_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = aiosqlite.connect

    def connect_with_it_off(*arguments: object, **options: object) -> aiosqlite.Connection:
        connection = connect(*arguments, **options)  # type: ignore[arg-type]
        made = connection._connector

        def off() -> sqlite3.Connection:
            plain = made()
            plain.execute("PRAGMA secure_delete = 0")
            assert plain.execute("PRAGMA secure_delete").fetchone() == (0,)
            return plain

        connection._connector = off
        return connection

    monkeypatch.setattr(aiosqlite, "connect", connect_with_it_off)
    database = Database(tmp_path / "db.sqlite3")
    await database.open()
    assert await database.fetchone("PRAGMA secure_delete") == (1,)
    await database.close()


async def test_a_setting_that_sqlite_does_not_take_is_no_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PRAGMAS, "no_such_pragma", 1)
    with pytest.raises(RuntimeError, match="PRAGMA no_such_pragma"):
        await Database(tmp_path / "db.sqlite3").open()


async def test_an_exception_rolls_back_and_takes_back_files(database: Database) -> None:
    undone = []
    with pytest.raises(ZeroDivisionError):
        async with database.write() as tx:
            tx.on_rollback(lambda: undone.append("first"))
            tx.on_rollback(lambda: undone.append("second"))
            await tx.execute("INSERT INTO note VALUES ('half')")
            raise ZeroDivisionError
    assert await notes(database) == []
    assert undone == ["second", "first"]


async def test_a_commit_takes_back_nothing(database: Database) -> None:
    undone = []
    async with database.write() as tx:
        tx.on_rollback(lambda: undone.append("first"))
        await tx.execute("INSERT INTO note VALUES ('whole')")
    assert await notes(database) == ["whole"]
    assert undone == []


async def test_a_reader_sees_nothing_before_the_commit(database: Database) -> None:
    async with database.write() as tx:
        await tx.execute("INSERT INTO note VALUES ('soon')")
        assert await notes(database) == []
    assert await notes(database) == ["soon"]


async def test_a_transaction_cancelled_in_the_middle_rolls_back(database: Database) -> None:
    inside = asyncio.Event()

    async def write() -> None:
        async with database.write() as tx:
            await tx.execute("INSERT INTO note VALUES ('half')")
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(write())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await notes(database) == []
    async with database.write() as tx:
        await tx.execute("INSERT INTO note VALUES ('next')")
    assert await notes(database) == ["next"]


@pytest.mark.parametrize("steps", range(12))
async def test_a_cancellation_at_any_step_is_all_or_nothing(database: Database, steps: int) -> None:
    undone = []

    async def write() -> None:
        async with database.write() as tx:
            tx.on_rollback(lambda: undone.append("undone"))
            await tx.execute("INSERT INTO note VALUES ('one')")
            await tx.execute("INSERT INTO note VALUES ('two')")

    task = asyncio.create_task(write())
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    found = await notes(database)
    assert found in ([], ["one", "two"])
    assert not (found and undone)
    async with database.write() as tx:
        await tx.execute("INSERT INTO note VALUES ('next')")
    assert await notes(database) == [*found, "next"]


async def test_a_cancellation_during_the_commit_comes_after_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit, reached = database._writer.commit, asyncio.Event()

    async def slow() -> None:
        reached.set()
        await asyncio.sleep(0)
        await commit()

    async def write() -> None:
        async with database.write() as tx:
            await tx.execute("INSERT INTO note VALUES ('kept')")

    monkeypatch.setattr(database._writer, "commit", slow)
    task = asyncio.create_task(write())
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await notes(database) == ["kept"]


async def test_a_lock_held_by_another_process_is_store_busy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(module.PRAGMAS, "busy_timeout", 50)
    database = Database(tmp_path / "db.sqlite3")
    await database.open()
    other = sqlite3.connect(database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusy):
        async with database.write() as tx:
            await tx.execute("CREATE TABLE note (text TEXT)")
    other.execute("ROLLBACK")
    other.close()
    async with database.write() as tx:
        await tx.execute("CREATE TABLE note (text TEXT)")
    await database.close()


async def test_a_full_disk_is_storage_full_and_writes_nothing(database: Database) -> None:
    pages = await database.fetchone("PRAGMA page_count")
    assert pages is not None
    await database._writer.execute(f"PRAGMA max_page_count = {pages[0]}")
    with pytest.raises(StorageFull):
        async with database.write() as tx:
            await tx.execute("INSERT INTO note VALUES ('small')")
            await tx.execute("INSERT INTO note VALUES (?)", ("large" * 10_000,))
    assert await notes(database) == []
    await database._writer.execute("PRAGMA max_page_count = 100000")
    async with database.write() as tx:
        await tx.execute("INSERT INTO note VALUES ('room')")
    assert await notes(database) == ["room"]


async def test_the_log_is_emptied_unless_a_reader_holds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(module.PRAGMAS, "busy_timeout", 50)
    database = Database(tmp_path / "db.sqlite3")
    await database.open()
    async with database.write() as tx:
        await tx.execute("CREATE TABLE note (text TEXT)")
    log = log_of(database)
    reader = sqlite3.connect(database.path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM note").fetchall()
    async with database.write() as tx:
        await tx.execute("INSERT INTO note VALUES ('x')")
    assert not await database.truncate_log()
    assert size_of(log) > 0
    reader.execute("ROLLBACK")
    assert await database.truncate_log()
    assert size_of(log) == 0
    reader.close()
    await database.close()


async def test_a_disk_that_does_not_write_is_an_error_of_ours(database: Database) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = size_of(log_of(database))
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        with pytest.raises(DiskFailed, match="SQLITE_IOERR_WRITE"):
            async with database.write() as tx:
                await tx.execute("INSERT INTO note VALUES (?)", ("large" * 10_000,))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    async with database.write() as tx:
        await tx.execute("INSERT INTO note VALUES ('later')")
    assert await notes(database) == ["later"]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (sqlite3.SQLITE_IOERR_SHMSIZE, StorageFull),
        (sqlite3.SQLITE_IOERR_FSYNC, DiskFailed),
        (sqlite3.SQLITE_IOERR, DiskFailed),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, StoreBusy),
    ],
)
async def test_what_sqlite_says_of_the_disk_is_told_in_our_words(
    database: Database, code: int, kind: type[Exception]
) -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode, error.sqlite_errorname = code, "SQLITE_X"
    with pytest.raises(kind):
        async with database.write():
            raise error


@pytest.mark.parametrize("fault", [ZeroDivisionError, StorageFull, OSError])
async def test_an_undo_that_fails_stops_neither_the_others_nor_the_rollback(
    database: Database, fault: type[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    undone = []

    def failing() -> None:
        raise fault

    with pytest.raises(KeyError):
        async with database.write() as tx:
            tx.on_rollback(lambda: undone.append("first"))
            tx.on_rollback(failing)
            await tx.execute("INSERT INTO note VALUES ('half')")
            raise KeyError
    assert undone == ["first"]
    assert fault.__name__ in caplog.text
    async with database.write() as tx:
        await tx.execute("INSERT INTO note VALUES ('next')")
    assert await notes(database) == ["next"]


_CHECKPOINTER = """
import fcntl, os, sys
shared = os.open(sys.argv[1], os.O_RDWR)
fcntl.lockf(shared, fcntl.LOCK_EX, 1, 121)  # where SQLite locks out other checkpoints
print("held", flush=True)
sys.stdin.readline()
"""


async def test_the_log_is_emptied_after_another_process_has_been_at_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with database.write() as tx:
        await tx.execute("CREATE TABLE t (a)")
    command = [sys.executable, "-c", _CHECKPOINTER, f"{database.path}-shm"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdin is not None and other.stdout is not None
        assert await asyncio.to_thread(other.stdout.readline) == b"held\n"
        with monkeypatch.context() as patch:
            patch.setattr(module, "_OTHERS_AT_IT", 1)
            assert not await database.truncate_log()
        emptied = asyncio.create_task(database.truncate_log())
        other.stdin.write(b"let go\n")
        other.stdin.flush()
        assert await emptied
