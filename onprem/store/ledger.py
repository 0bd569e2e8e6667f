"""The ledger: append-only and hash-chained. Each append reads the tip inside its transaction."""

from typing import Any

import msgspec

from onprem.core.receipt import GENESIS, Receipt, canonical, chain_digest
from onprem.store.database import Database, Transaction

DELETION = "deletion"


class Entry(msgspec.Struct, frozen=True):
    """One row; `body` is canonical JSON."""

    seq: int
    at: float
    kind: str
    body: str
    digest: bytes


async def append(
    tx: Transaction, *, at: float, kind: str, body: Any, job_id: str | None = None
) -> None:
    """Add one entry behind the tip, in the caller's transaction."""
    tip = await tx.fetchone("SELECT seq, digest FROM ledger ORDER BY seq DESC LIMIT 1")
    seq, previous = (tip[0] + 1, tip[1]) if tip else (1, GENESIS)
    raw = canonical(body)
    digest = chain_digest(previous, seq, at, kind, raw)
    await tx.execute(
        "INSERT INTO ledger (seq, at, kind, job_id, body, digest) VALUES (?, ?, ?, ?, ?, ?)",
        (seq, at, kind, job_id, raw.decode(), digest),
    )


async def append_receipt(tx: Transaction, receipt: Receipt) -> None:
    await append(tx, at=receipt.deleted_at, kind=DELETION, body=receipt, job_id=receipt.job_id)


async def receipts_of_job(database: Database, job_id: str) -> list[Receipt]:
    """In the order of deletion."""
    rows = await database.fetchall(
        "SELECT body FROM ledger WHERE job_id = ? AND kind = ? ORDER BY seq", (job_id, DELETION)
    )
    return [msgspec.json.decode(body, type=Receipt) for (body,) in rows]


async def first_broken_entry(database: Database) -> int | None:
    """The number of the first entry that does not follow from the one before; None: intact."""
    previous, expected = GENESIS, 1
    for row in await database.fetchall(
        "SELECT seq, at, kind, body, digest FROM ledger ORDER BY seq"
    ):
        entry = Entry(*row)
        digest = chain_digest(previous, entry.seq, entry.at, entry.kind, entry.body.encode())
        if entry.seq != expected or digest != entry.digest:
            return expected
        previous, expected = entry.digest, expected + 1
    return None
