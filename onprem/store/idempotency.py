"""What was asked for with an idempotency key. Keyed hashes only: no key, no body."""

import msgspec

from onprem.store.database import Database, Transaction


class Record(msgspec.Struct, frozen=True):
    """`request` is the hash of what was asked for; `job_id` the job that it made."""

    request: bytes
    job_id: str


async def find(database: Database, project_id: str, key: bytes, *, now: float) -> Record | None:
    row = await database.fetchone(
        "SELECT request, job_id FROM idempotency"
        " WHERE project_id = ? AND key = ? AND expires_at > ?",
        (project_id, key, now),
    )
    return Record(*row) if row else None


async def keep(
    tx: Transaction, project_id: str, key: bytes, record: Record, *, expires_at: float
) -> None:
    """In the transaction of what the request made; one that has expired makes way."""
    await tx.execute(
        "INSERT OR REPLACE INTO idempotency (project_id, key, request, job_id, expires_at)"
        " VALUES (?, ?, ?, ?, ?)",
        (project_id, key, record.request, record.job_id, expires_at),
    )


async def delete_expired(tx: Transaction, *, now: float) -> int:
    return await tx.execute("DELETE FROM idempotency WHERE expires_at <= ?", (now,))
