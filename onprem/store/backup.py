"""The database of a backup: named columns of named tables, copied row by row into a fresh file.

Never the file itself: its free pages and its log could hold what is to be forgotten.
"""

import errno
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from onprem.clock import Mark
from onprem.core.checkpoint import ChainTip
from onprem.errors import DataDirectoryDamaged, StoreBusy
from onprem.store.database import PRAGMAS
from onprem.store.migrate import migrations

CHAINS = ("ledger", "access_log")
_ENTRY = ("seq", "at", "wall", "boot_id", "synchronised", "kind", "job_id", "body", "digest")

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "key_check": ("id", "value"),
    "clock_mark": ("id", "time", "boot_id", "boottime", "lags_since", "swept_at"),
    "project": ("id", "name", "created_at", "settings", "served", "erased_at"),
    "api_key": (
        *("id", "project_id", "name", "hash", "scopes"),
        *("created_at", "expires_at", "revoked_at"),
    ),
    "artefact": ("id", "kind", "project_id", "job_id", "size", "created_at", "due_at"),
    "job": (
        *("seq", "id", "project_id", "kind", "status", "region"),
        *("media_id", "request_id", "destination_id", "output_id", "edits_id"),
        *("output_life", "until_delivered", "output_due_at", "error_code", "engine"),
        *("claims", "attempts", "duration"),
        *("created_at", "waits_since", "updated_at", "finished_at"),
        *("acknowledged_at", "deleted_at"),
    ),
    "delivery": ("id", "job_id", "kind", "state", "next_at", "attempts", "ended_at", "bytes"),
    "secret": ("id", "purpose", "project_id", "wrapped", "created_at", "retires_at"),
    "chain_floor": ("chain", "seq", "digest"),
    "ledger": _ENTRY,
    "access_log": _ENTRY,
    "checkpoint": (
        *("number", "at", "ledger_size", "access_log_size", "document"),
        *("filed_at", "sent_at"),
    ),
}
"""What a backup holds, in an order in which each row finds those that it refers to."""

LEFT_OUT: Mapping[str, str] = {
    "artefact.slot": "where its key lies, and keys are in no backup",
    "artefact.sealed": "content",
    "delivery.sha256": "tells of an output, and goes with it",
    "free_slot": "speaks of the record-key file",
    "media": "names of uploads, which are not in the backup",
    "withdrawn_media": "speaks of uploads",
    "idempotency": "lives for a day: what is asked for again is made again",
    "used_link": "lives for an hour",
}
"""And what it does not hold, and why. Each column is here or there."""

_BATCH = 20_000
_TABLES = (
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
)


class Contents(msgspec.Struct, frozen=True):
    """What the database of a backup holds. `schema` is its version."""

    schema: int
    counts: dict[str, int]
    ledger: ChainTip
    access_log: ChainTip


def copy_rows(source: Path, target: Path) -> None:
    """Copy what a backup holds to a new database at `target`, as it is at one moment. Blocks.

    A server may be at work on `source`. A reader keeps it from emptying its log, so what never
    changes, the entries of the chains, is copied beforehand and in pieces.

    Raises:
        StoreBusy: another process holds the database for too long.
        OSError: a disk is full, or failed.
    """
    with _opened(target) as copy:
        copy.execute("PRAGMA main.journal_mode = OFF")  # a broken-off copy is thrown away
        copy.execute("PRAGMA main.synchronous = OFF")
        steps = migrations()
        copy.executescript("\n".join([*steps, f"PRAGMA user_version = {len(steps)};"]))
        copy.execute("ATTACH ? AS live", (str(source),))
        copy.execute("PRAGMA live.secure_delete = ON")
        for chain in CHAINS:
            while _copy_entries(copy, chain, _BATCH) == _BATCH:
                pass
        copy.execute("BEGIN")
        for table, columns in COLUMNS.items():
            if table in CHAINS:
                _copy_entries(copy, table, -1)
                # Those that outlived their retention since they were copied.
                copy.execute(
                    f"DELETE FROM main.{table} WHERE seq <="
                    " (SELECT seq FROM main.chain_floor WHERE chain = ?)",
                    (table,),
                )
            else:
                names = ", ".join(columns)
                copy.execute(f"INSERT INTO main.{table} ({names}) SELECT {names} FROM live.{table}")
        copy.execute("COMMIT")


def set_mark(path: Path, mark: Mark) -> None:
    """Note where retention time stands now, which the last sweep did not know. Blocks."""
    with _opened(path) as copy:
        copy.execute("PRAGMA main.journal_mode = OFF")
        copy.execute(
            "INSERT INTO clock_mark (id, time, boot_id, boottime, lags_since)"
            " VALUES (1, ?1, ?2, ?3, ?4) ON CONFLICT (id) DO UPDATE"
            " SET time = ?1, boot_id = ?2, boottime = ?3, lags_since = ?4",
            (mark.time, mark.boot_id, mark.boottime, mark.lags_since),
        )


def contents(path: Path) -> Contents:
    """Blocks. Raises DataDirectoryDamaged: it is no database of ours, or cannot be read."""
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            database.execute("PRAGMA trusted_schema = OFF")
            (schema,) = database.execute("PRAGMA user_version").fetchone()
            counts = {
                table: database.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]
                for (table,) in database.execute(_TABLES).fetchall()
            }
            return Contents(schema, counts, _tip(database, "ledger"), _tip(database, "access_log"))
    except sqlite3.DatabaseError as error:
        what = f"the database cannot be read ({error.sqlite_errorname})"
        raise DataDirectoryDamaged(what=what) from error


def _tip(database: sqlite3.Connection, chain: str) -> ChainTip:
    row = database.execute(
        f"SELECT seq, digest FROM {chain} UNION ALL"
        " SELECT seq, digest FROM chain_floor WHERE chain = ?"
        " UNION ALL SELECT 0, zeroblob(32) ORDER BY seq DESC LIMIT 1",
        (chain,),
    ).fetchone()
    return ChainTip(row[0], row[1].hex())


def _copy_entries(copy: sqlite3.Connection, chain: str, at_most: int) -> int:
    """Those behind the last one that was copied. Returns how many."""
    names = ", ".join(_ENTRY)
    return copy.execute(
        f"INSERT INTO main.{chain} ({names}) SELECT {names} FROM live.{chain}"
        f" WHERE seq > (SELECT coalesce(max(seq), 0) FROM main.{chain}) ORDER BY seq LIMIT ?",
        (at_most,),
    ).rowcount


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            for name in ("busy_timeout", "temp_store", "secure_delete"):
                connection.execute(f"PRAGMA {name} = {PRAGMAS[name]}")
            yield connection
    except sqlite3.OperationalError as error:
        match error.sqlite_errorcode & 0xFF:
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                raise StoreBusy() from error
            case sqlite3.SQLITE_FULL:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
            case sqlite3.SQLITE_IOERR | sqlite3.SQLITE_CANTOPEN:
                raise OSError(errno.EIO, os.strerror(errno.EIO)) from error
        raise
