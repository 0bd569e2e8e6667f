"""Putting a database in the place of another at one stroke: built beside it, then renamed."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from onprem.errors import LedgerUnreadable, StoreBusy
from onprem.store.data_directory import DataDirectory
from onprem.store.database import PRAGMAS, Database
from onprem.store.disk import sync_folder

_CHUNK = 1 << 20
_ENDS = (
    "SELECT (SELECT coalesce(max(seq), 0) FROM ledger),"
    " (SELECT coalesce(max(seq), 0) FROM access_log)"
)


class Ends(msgspec.Struct, frozen=True, rename="camel"):
    """Numbers of the last entries of both chains; 0: there is none."""

    ledger: int
    access_log: int


@contextmanager
def staging(directory: DataDirectory) -> Iterator[DataDirectory]:
    """A place beside the database, for the one that is to replace it. Gone at the block's end.

    The caller holds the exclusive lock. What a restore left that was killed goes first.
    """
    discard_staging(directory)
    directory.staging.mkdir(mode=0o700)
    try:
        yield DataDirectory(directory.staging, directory.slots.parent)
    finally:
        discard_staging(directory)


def discard_staging(directory: DataDirectory) -> None:
    """What a restore was building holds no content. Blocks."""
    if directory.staging.exists():
        shutil.rmtree(directory.staging)


async def ends(database: Database) -> Ends:
    row = await database.fetchone(_ENDS)
    assert row is not None, "maxima always have a row"
    return Ends(*row)


def replace_database(directory: DataDirectory, staged: Path, ends: Ends | None) -> None:
    """Put a closed database in the place of the one that is there, at one stroke. Blocks.

    `ends` are those of the one that is there, as it was looked at; None: there was none. It is
    overwritten, for names stand in it that are content to somebody.

    Raises:
        StoreBusy: another process has it open, or has written to it since.
        OSError: nothing was changed.
    """
    with staged.open("rb+", buffering=0) as file:
        os.fsync(file.fileno())
    if ends is None:
        staged.rename(directory.database)
        sync_folder(directory.root)
        return
    with directory.database.open("rb+", buffering=0) as replaced:
        with _alone(directory.database) as database:
            if Ends(*database.execute(_ENDS).fetchone()) != ends:
                raise StoreBusy()
            staged.rename(directory.database)
            sync_folder(directory.root)
        _overwrite(replaced.fileno())


def check_whole(database: Path) -> None:
    """Raises LedgerUnreadable: its log is there without it, and would be taken for another's."""
    log = Path(f"{database}-wal")
    if log.exists() and not database.exists():
        raise LedgerUnreadable(path=database, why=f"{log.name} is there without it")


@contextmanager
def _alone(path: Path) -> Iterator[sqlite3.Connection]:
    """Its log is empty and gone, and nobody else can read or write it, for the block."""
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            database.execute(f"PRAGMA busy_timeout = {PRAGMAS['busy_timeout']}")
            database.execute("PRAGMA journal_mode = DELETE")
            database.execute("BEGIN EXCLUSIVE")
            yield database
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise StoreBusy() from error
        raise


def _overwrite(fd: int) -> None:
    for start in range(0, size := os.fstat(fd).st_size, _CHUNK):
        os.pwrite(fd, bytes(min(_CHUNK, size - start)), start)
    os.fsync(fd)
