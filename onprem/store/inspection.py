"""Reading the whole store to judge it: what `services/invariants` compares. Changes nothing."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import msgspec

from onprem.core.delivery import DeliveryState
from onprem.core.job import JobKind, JobStatus
from onprem.core.receipt import Receipt
from onprem.errors import DataDirectoryDamaged, DiskFailed
from onprem.store.artefacts import COLUMNS, Artefact
from onprem.store.chain import LEDGER
from onprem.store.data_directory import DataDirectory
from onprem.store.database import Database, Row, Transaction
from onprem.store.files_found import FilesFound, find_files
from onprem.threads import in_thread

CHUNK = 10_000
"""Receipts in memory at once: a ledger holds those of years."""

S = TypeVar("S", bound=msgspec.Struct)


class JobRow(msgspec.Struct, frozen=True):
    """What stands in a job's row of the things that must agree."""

    id: str
    kind: JobKind
    status: JobStatus
    region: str
    media_id: bytes | None
    request_id: bytes | None
    destination_id: bytes | None
    output_id: bytes | None
    edits_id: bytes | None
    output_due_at: float | None
    error_code: str | None
    claims: int
    attempts: int
    created_at: float
    finished_at: float | None
    deleted_at: float | None

    @property
    def held(self) -> tuple[bytes | None, ...]:
        """The artefacts that it names."""
        return self.media_id, self.request_id, self.destination_id, self.output_id, self.edits_id


class LiveArtefact(msgspec.Struct, frozen=True):
    """An artefact and how many bytes of ciphertext its row holds; None: they are in a blob."""

    artefact: Artefact
    inline_bytes: int | None


class DeliveryRow(msgspec.Struct, frozen=True):
    """What stands in a delivery's row of the things that must agree."""

    id: str
    job_id: str
    state: DeliveryState
    next_at: float | None
    ended_at: float | None
    sha256: str | None


class IdempotencyRow(msgspec.Struct, frozen=True):
    job_id: str
    expires_at: float


class Picture(msgspec.Struct, frozen=True):
    """Rows, key slots and files at one moment, in which no transaction was half done.

    `last_entry` is the number of the ledger's last entry then; what is in the ledger up to it
    belongs to the picture.
    """

    jobs: list[JobRow]
    live: list[LiveArtefact]
    deliveries: list[DeliveryRow]
    idempotency: list[IdempotencyRow]
    free_slots: set[int]
    files: FilesFound
    last_entry: int


@asynccontextmanager
async def opened(directory: DataDirectory) -> AsyncIterator[Database]:
    """Raises DataDirectoryDamaged, also within the block: it is no sound database."""
    database = Database(directory.database)
    try:
        await database.open()
        try:
            yield database
        finally:
            await database.close()
    except sqlite3.DatabaseError as error:
        what = f"the database cannot be read ({error.sqlite_errorname})"
        raise DataDirectoryDamaged(what=what) from error


async def take_picture(database: Database, directory: DataDirectory) -> Picture:
    """Holds SQLite's write lock for as long as it looks, so that rows, slots and files agree.

    Only uploads change files without it; the picture says which those are.

    Raises:
        StoreBusy: another process holds the lock for too long.
    """
    async with database.write() as tx:
        jobs = await _columns(tx, JobRow, "job ORDER BY seq")
        live = await tx.fetchall(f"SELECT {COLUMNS}, length(sealed) FROM artefact")
        deliveries = await _columns(tx, DeliveryRow, "delivery")
        idempotency = await _columns(tx, IdempotencyRow, "idempotency")
        free = await tx.fetchall("SELECT slot FROM free_slot")
        tip = await LEDGER.tip(tx)
        files = await in_thread(find_files, directory, {row[0] for row in live})
    return Picture(
        jobs=[_converted(row, JobRow) for row in jobs],
        live=[LiveArtefact(_converted(row[:-1], Artefact), row[-1]) for row in live],
        deliveries=[_converted(row, DeliveryRow) for row in deliveries],
        idempotency=[_converted(row, IdempotencyRow) for row in idempotency],
        free_slots={row[0] for row in free},
        files=files,
        last_entry=tip.seq,
    )


async def receipts(database: Database, *, last_entry: int) -> AsyncIterator[list[Receipt]]:
    """All receipts up to that entry, in the order of the ledger, some thousand at a time."""
    after = 0
    while entries := await LEDGER.entries(
        database,
        after=after,
        limit=CHUNK,
        where="kind = 'deletion' AND seq <= ?",
        values=(last_entry,),
    ):
        after = entries[-1].seq
        yield [msgspec.json.decode(entry.body, type=Receipt) for entry in entries]


async def ciphertext(database: Database, record: bytes) -> bytes | None:
    """What the row of an artefact holds; None: it is gone, or its ciphertext lies in a blob."""
    row = await database.fetchone("SELECT sealed FROM artefact WHERE id = ?", (record,))
    return row[0] if row else None


async def oldest_entry(database: Database) -> float | None:
    """When the oldest entry that the ledger still has was written; None: it has them all."""
    if (await LEDGER.floor(database)).seq == 0:
        return None
    first = await LEDGER.entries(database, limit=1)
    return first[0].stamp.at if first else None


async def damage(database: Database, *, by_table: bool = False) -> list[str]:
    """What SQLite's own checks find.

    `by_table`: each table by itself, so that no read lasts as long as the whole file, for while
    one lasts the log cannot be emptied. Pages that belong to no table are not looked at then.
    """
    try:
        tables = await database.fetchall("SELECT name FROM sqlite_schema WHERE type = 'table'")
        only = [f"('{name}')" for (name,) in tables] if by_table else [""]
        checks = [await database.fetchall(f"PRAGMA integrity_check{table}") for table in only]
        broken = await database.fetchall("PRAGMA foreign_key_check")
    except sqlite3.DatabaseError as error:
        return [f"the database cannot be read ({error.sqlite_errorname})"]
    except DiskFailed as error:
        return [str(error)]
    found = [row[0] for rows in checks for row in rows]
    found += [f"a row of {row[0]} refers to a row of {row[2]} that is not there" for row in broken]
    return [line for line in found if line != "ok"]


async def _columns(tx: Transaction, kind: type[msgspec.Struct], source: str) -> list[Row]:
    return await tx.fetchall(f"SELECT {', '.join(kind.__struct_fields__)} FROM {source}")


def _converted(row: Row, into: type[S]) -> S:
    values: dict[str, Any] = dict(zip(into.__struct_fields__, row, strict=True))
    return msgspec.convert(values, into)
