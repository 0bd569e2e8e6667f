"""The ledger: receipts of deletions, and acts."""

import msgspec

from onprem.core.act import Act
from onprem.core.chain import Entry
from onprem.core.ledger import ChainName, EntryKind
from onprem.core.pruned import Pruned
from onprem.core.receipt import Receipt
from onprem.stamp import Stamp
from onprem.store.chain import LEDGER
from onprem.store.database import Database, Transaction


async def append_receipt(tx: Transaction, stamp: Stamp, receipt: Receipt) -> None:
    await LEDGER.append(tx, stamp, EntryKind.DELETION, receipt, job_id=receipt.job_id)


async def append_act(tx: Transaction, stamp: Stamp, act: Act, *, job_id: str | None = None) -> int:
    """In the transaction of what it notes. Returns its number."""
    return await LEDGER.append(tx, stamp, EntryKind.ACT, act, job_id=job_id)


async def append_pruned(tx: Transaction, stamp: Stamp, pruned: Pruned) -> None:
    """In the transaction that takes the entries away."""
    await LEDGER.append(tx, stamp, EntryKind.PRUNED, pruned)


async def last_pruned(database: Database | Transaction, chain: ChainName) -> Entry | None:
    """The entry that tells what was last taken away of a chain; None: nothing ever was."""
    found = await LEDGER.newest(
        database, limit=1, where="kind = 'pruned' AND body ->> 'chain' = ?", values=(chain,)
    )
    return found[0] if found else None


async def oldest_job(tx: Transaction) -> float | None:
    """When the oldest job was submitted of which a tombstone is left: its receipts are needed."""
    row = await tx.fetchone("SELECT created_at FROM job ORDER BY seq LIMIT 1")
    return row[0] if row else None


async def newest(
    database: Database,
    *,
    limit: int,
    before: int | None = None,
    kind: EntryKind | None = None,
    job_id: str | None = None,
) -> list[Entry]:
    """Entries of any kind and job, or of these only; those before number `before`."""
    wanted = {"kind": kind, "job_id": job_id}
    given = {column: value for column, value in wanted.items() if value is not None}
    where = " AND ".join([f"{column} = ?" for column in given] or ["TRUE"])
    return await LEDGER.newest(
        database, limit=limit, before=before, where=where, values=tuple(given.values())
    )


async def receipts_of_job(database: Database, job_id: str) -> list[Receipt]:
    """In the order of deletion."""
    return await receipts(database, "job_id = ?", job_id)


async def receipts(database: Database, where: str = "TRUE", *values: object) -> list[Receipt]:
    """Those that fit a condition on the table, in the order of deletion."""
    entries = await LEDGER.entries(
        database, where=f"kind = 'deletion' AND ({where})", values=values
    )
    return [msgspec.json.decode(entry.body, type=Receipt) for entry in entries]
