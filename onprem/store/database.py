"""SQLite: one writer, a reader, and the settings that make deleting mean deleting."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiosqlite

from onprem.errors import DiskFailed, OnpremError, StorageFull, StoreBusy, described
from onprem.threads import in_thread, to_the_end

logger = logging.getLogger(__name__)

Row = Sequence[Any]

SQLITE_VERSION = sqlite3.sqlite_version

PRAGMAS: dict[str, str | int] = {
    # First, because every later pragma may need a lock.
    "busy_timeout": 10_000,
    "journal_mode": "wal",
    # A 2xx is a promise: each commit is on the disk before the answer (2 = FULL).
    "synchronous": 2,
    # Freed pages are zeroed. Off by default in many builds, and never stored in the file.
    "secure_delete": 1,
    # Sorters and VACUUM must not spill rows to a file (2 = MEMORY).
    "temp_store": 2,
    "foreign_keys": 1,
    "trusted_schema": 0,
    "cell_size_check": 1,
    # Little plaintext metadata waits in the log, and a checkpoint truncates it.
    "wal_autocheckpoint": 256,
    "journal_size_limit": 0,
}


_OTHERS_AT_IT = 200
_PAUSE_SECONDS = 0.05
"""How often, and after what pause, the log is emptied again that another process is emptying."""


class Transaction:
    """One open `BEGIN IMMEDIATE`; the only way to write."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection
        self._undo: list[Callable[[], object]] = []
        self._committed = False

    def on_rollback(self, undo: Callable[[], object]) -> None:
        """Call `undo`, which blocks, if this transaction does not commit: it takes back a file."""
        self._undo.append(undo)

    async def begin(self) -> None:
        await self._connection.execute("BEGIN IMMEDIATE")

    async def commit(self) -> None:
        await self._connection.commit()
        self._committed = True

    async def roll_back(self) -> None:
        """Nothing happens after a commit, though its caller may have been cancelled."""
        if self._committed:
            return
        try:
            # Files first: until the rollback no other process can have been given the same slot.
            for undo in reversed(self._undo):
                await _undone(undo)
        finally:
            await self._connection.rollback()

    async def execute(self, sql: str, parameters: Iterable[Any] = ()) -> int:
        """Returns how many rows it changed."""
        async with self._connection.execute(sql, tuple(parameters)) as cursor:
            return cursor.rowcount

    async def fetchall(self, sql: str, parameters: Iterable[Any] = ()) -> list[Row]:
        return [tuple(row) for row in await self._connection.execute_fetchall(sql, parameters)]

    async def fetchone(self, sql: str, parameters: Iterable[Any] = ()) -> Row | None:
        rows = await self.fetchall(sql, parameters)
        return rows[0] if rows else None


async def _undone(undo: Callable[[], object]) -> None:
    try:
        await in_thread(undo)
    except Exception as error:  # noqa: BLE001  whatever it is, the other files must follow
        logger.error("a left-over waits for the next start: %s", described(error))


class Database:
    """Two connections to one file. `open` first, `close` last.

    `alone`: one connection, and no other process can open it. So it is where the disk has no room
    for the index that processes share, for deleting must not need any.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.alone = False
        self._write_lock = asyncio.Lock()

    async def open(self) -> None:
        """Raises StoreBusy, StorageFull or DiskFailed; the file is made where it is missing."""
        try:
            await self._open_shared()
        except StorageFull:
            with _translated():
                self._writer = self._reader = await _connect(self.path, alone=True)
            self.alone = True

    async def _open_shared(self) -> None:
        with _translated():
            self._writer = await _connect(self.path)
            try:
                self._reader = await _connect(self.path)
            except BaseException:
                await self._writer.close()
                raise

    async def close(self) -> None:
        if not self.alone:
            await self._reader.close()
        await self._writer.close()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Transaction]:
        """A transaction that commits at the end of the block and rolls back on any exception.

        A cancellation during the commit is raised after it: the transaction then stands.

        Raises:
            StoreBusy: another process holds the write lock for too long.
            StorageFull: the disk is full; nothing was written.
            DiskFailed: the disk could not be read or written.
        """
        async with self._write_lock:
            with _translated():
                tx = Transaction(self._writer)
                try:
                    await to_the_end(tx.begin())
                    yield tx
                    await to_the_end(tx.commit())
                except BaseException:
                    await to_the_end(tx.roll_back())
                    raise

    async def fetchall(self, sql: str, parameters: Iterable[Any] = ()) -> list[Row]:
        """All rows at once: an open cursor would keep deleted bytes in the write-ahead log."""
        with _translated():
            return [tuple(row) for row in await self._reader.execute_fetchall(sql, parameters)]

    async def fetchone(self, sql: str, parameters: Iterable[Any] = ()) -> Row | None:
        rows = await self.fetchall(sql, parameters)
        return rows[0] if rows else None

    async def truncate_log(self) -> bool:
        """Empty the write-ahead log; only then are deleted rows gone. False: a reader held it."""
        for _ in range(_OTHERS_AT_IT):
            async with self._write_lock:
                with _translated():
                    rows = await self._writer.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")
            busy, pages, _ = next(iter(rows))
            if busy == 0:
                return True
            if pages >= 0:
                return False
            # Another process is emptying it, for which SQLite does not wait. That is quick, and
            # may leave something.
            await asyncio.sleep(_PAUSE_SECONDS)
        return False

    async def script(self, sql: str) -> None:
        """Run a migration's statements in one transaction."""
        async with self._write_lock:
            with _translated():
                try:
                    await self._writer.executescript(f"BEGIN IMMEDIATE;\n{sql}\nCOMMIT;")
                except BaseException:
                    await self._writer.rollback()
                    raise


async def _connect(path: Path, *, alone: bool = False) -> aiosqlite.Connection:
    connection = await aiosqlite.connect(path, isolation_level=None)
    try:
        if alone:  # before the first look at the file: then the index is in memory
            await connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        for name, value in PRAGMAS.items():
            await connection.execute(f"PRAGMA {name} = {value}")
        await assert_pragmas(connection)
    except BaseException:
        await connection.close()
        raise
    return connection


async def assert_pragmas(connection: aiosqlite.Connection) -> None:
    """SQLite ignores a pragma that it does not know or cannot set; deletion hangs on these."""
    for name, value in PRAGMAS.items():
        rows = list(await connection.execute_fetchall(f"PRAGMA {name}"))
        if not rows or rows[0][0] != value:
            raise RuntimeError(f"SQLite did not take PRAGMA {name} = {value}")


_KNOWN_FAILURES: dict[int, type[OnpremError]] = {
    sqlite3.SQLITE_BUSY: StoreBusy,
    sqlite3.SQLITE_LOCKED: StoreBusy,
    sqlite3.SQLITE_FULL: StorageFull,
    sqlite3.SQLITE_IOERR_SHMSIZE: StorageFull,  # the log's index could not grow
}


@contextmanager
def _translated() -> Iterator[None]:
    """Turns what SQLite says of locks and disks into errors of ours; anything else is a bug."""
    try:
        yield
    except sqlite3.OperationalError as error:
        code = error.sqlite_errorcode
        known = _KNOWN_FAILURES.get(code) or _KNOWN_FAILURES.get(code & 0xFF)
        if known is not None:
            raise known() from error
        if code & 0xFF == sqlite3.SQLITE_IOERR:
            raise DiskFailed(what=error.sqlite_errorname) from error
        raise
