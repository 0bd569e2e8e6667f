"""Signed checkpoints, and which of them have left the host."""

import math
from typing import Literal

import msgspec

from onprem.core.checkpoint import Checkpoint
from onprem.core.signed import SignedDocument
from onprem.store.database import Database, Transaction

Exit = Literal["filed_at", "sent_at"]
"""By which way it left the host: the file, or the webhook."""

_LARGEST = 2**63 - 1
"""Of the numbers that a row can have."""
_COLUMNS = "number, at, ledger_size, access_log_size, document, filed_at, sent_at"


class StoredCheckpoint(msgspec.Struct, frozen=True):
    """`document` is JSON; times in seconds of retention time, None: not yet."""

    number: int
    at: float
    ledger_size: int
    access_log_size: int
    document: str
    filed_at: float | None
    sent_at: float | None

    @property
    def exported_at(self) -> float | None:
        """When it first left the host."""
        return min((at for at in (self.filed_at, self.sent_at) if at is not None), default=None)

    @property
    def signed(self) -> SignedDocument:
        return msgspec.json.decode(self.document, type=SignedDocument)


async def insert(tx: Transaction, checkpoint: Checkpoint, document: SignedDocument) -> None:
    await tx.execute(
        "INSERT INTO checkpoint (number, at, ledger_size, access_log_size, document)"
        " VALUES (?, ?, ?, ?, ?)",
        (
            checkpoint.number,
            checkpoint.at,
            checkpoint.ledger.size,
            checkpoint.access_log.size,
            document.encoded().decode(),
        ),
    )


async def last(database: Database | Transaction) -> StoredCheckpoint | None:
    row = await database.fetchone(f"SELECT {_COLUMNS} FROM checkpoint ORDER BY number DESC LIMIT 1")
    return StoredCheckpoint(*row) if row else None


async def numbers(
    database: Database | Transaction,
    since: float | None,
    until: float | None = None,
    ledger: tuple[int, int] = (_LARGEST, _LARGEST),
    access_log: tuple[int, int] = (_LARGEST, _LARGEST),
) -> tuple[int, int] | None:
    """The first and the last one of an interval; None: there is none.

    Of each chain the numbers of the last entry that is told, and of the last that there is: what
    speaks of those between is left out, never what speaks of entries that should be there.
    """
    row = await database.fetchone(
        "SELECT min(number) FILTER (WHERE at >= ?), max(number) FROM checkpoint WHERE at <= ?"
        " AND (ledger_size <= ? OR ledger_size > ?)"
        " AND (access_log_size <= ? OR access_log_size > ?)",
        (
            0.0 if since is None else since,
            math.inf if until is None else until,
            *(*ledger, *access_log),
        ),
    )
    return None if row is None or row[0] is None else (row[0], row[1])


async def between(
    database: Database, first: int, last: int, *, limit: int
) -> list[StoredCheckpoint]:
    """In their order, both ends included."""
    rows = await database.fetchall(
        f"SELECT {_COLUMNS} FROM checkpoint WHERE number BETWEEN ? AND ? ORDER BY number LIMIT ?",
        (first, last, limit),
    )
    return [StoredCheckpoint(*row) for row in rows]


async def waiting(database: Database, exit: Exit, *, limit: int) -> list[StoredCheckpoint]:
    """Those that have not left that way, the oldest first."""
    rows = await database.fetchall(
        f"SELECT {_COLUMNS} FROM checkpoint WHERE {exit} IS NULL ORDER BY number LIMIT ?", (limit,)
    )
    return [StoredCheckpoint(*row) for row in rows]


async def count_waiting(database: Database, exit: Exit) -> int:
    row = await database.fetchone(f"SELECT count(*) FROM checkpoint WHERE {exit} IS NULL")
    return int(row[0]) if row else 0


async def mark(tx: Transaction, exit: Exit, numbers: list[int], *, now: float) -> None:
    for number in numbers:
        await tx.execute(f"UPDATE checkpoint SET {exit} = ? WHERE number = ?", (now, number))


async def drop_before(tx: Transaction, moment: float) -> int:
    """Forget those older than `moment`, except the last one. Returns how many."""
    return await tx.execute(
        "DELETE FROM checkpoint WHERE number <"
        " coalesce((SELECT min(number) FROM checkpoint WHERE at >= ?),"
        " (SELECT max(number) FROM checkpoint))",
        (moment,),
    )
