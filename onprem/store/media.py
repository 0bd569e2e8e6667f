"""Uploaded media: a project's object keys, each at its newest version."""

import msgspec

from onprem.core.receipt import DeletionReason, Receipt
from onprem.store.artefacts import ArtefactStore
from onprem.store.database import Database, Transaction
from onprem.store.delete_each import delete_each

_SUPERSEDED = (
    "SELECT id FROM artefact WHERE kind = 'media'"
    " AND id NOT IN (SELECT artefact_id FROM media)"
    " AND id NOT IN (SELECT media_id FROM job"
    " WHERE finished_at IS NULL AND media_id IS NOT NULL)"
)


class MediaVersion(msgspec.Struct, frozen=True):
    """One upload. `size` in bytes, times in seconds since the epoch."""

    artefact_id: bytes
    size: int
    created_at: float
    due_at: float


async def newest(
    database: Database | Transaction, project_id: str, key: str, *, now: float
) -> MediaVersion | None:
    """The version that a job submitted now binds to; None: never uploaded, or past its deadline."""
    row = await database.fetchone(
        "SELECT artefact.id, size, created_at, due_at FROM media"
        " JOIN artefact ON artefact.id = media.artefact_id"
        " WHERE media.project_id = ? AND key = ? AND due_at > ?",
        (project_id, key, now),
    )
    return MediaVersion(*row) if row else None


async def put(tx: Transaction, project_id: str, key: str, artefact_id: bytes) -> None:
    """Point `key` to a new version; the older one is `superseded`."""
    await tx.execute(
        "INSERT INTO media (project_id, key, artefact_id) VALUES (?, ?, ?)"
        " ON CONFLICT (project_id, key) DO UPDATE SET artefact_id = excluded.artefact_id",
        (project_id, key, artefact_id),
    )


async def delete_superseded(
    database: Database, artefacts: ArtefactStore, *, now: float
) -> list[Receipt]:
    """Delete old versions that no unfinished job is bound to. Raises as `ArtefactStore.delete`."""

    async def delete(tx: Transaction, record: bytes) -> Receipt | None:
        # Looked at again within its transaction: a job may have been bound to it in between.
        if await tx.fetchone(f"{_SUPERSEDED} AND id = ?", (record,)) is None:
            return None
        return await artefacts.delete_within(tx, record, DeletionReason.REPLACED, now=now)

    records = [row[0] for row in await database.fetchall(_SUPERSEDED)]
    return await delete_each(database, records, delete)


async def spend_link(tx: Transaction, nonce: bytes, *, now: float, expires_at: float) -> bool:
    """Mark a signed link as used; False: it was used before. Expired marks are forgotten."""
    await tx.execute("DELETE FROM used_link WHERE expires_at < ?", (now,))
    spent = await tx.execute(
        "INSERT OR IGNORE INTO used_link (nonce, expires_at) VALUES (?, ?)", (nonce, expires_at)
    )
    return spent == 1


async def link_spent(database: Database, nonce: bytes) -> bool:
    row = await database.fetchone("SELECT 1 FROM used_link WHERE nonce = ?", (nonce,))
    return row is not None
