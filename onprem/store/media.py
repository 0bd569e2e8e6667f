"""Uploaded media: a project's object keys, each at its newest version."""

import msgspec

from onprem.core.ledger import EntryKind
from onprem.core.receipt import DeletionReason, Receipt
from onprem.store.artefacts import ArtefactStore
from onprem.store.database import Database, Transaction
from onprem.store.delete_each import delete_each

_BOUND = "SELECT media_id FROM job WHERE finished_at IS NULL AND media_id IS NOT NULL"
"""Versions that an unfinished job will read, or reads now."""

_SUPERSEDED = (
    "SELECT id FROM artefact WHERE kind = 'media'"
    " AND id NOT IN (SELECT artefact_id FROM media)"
    f" AND id NOT IN ({_BOUND})"
)
_VERSION = "artefact.id, key, size, artefact.created_at, due_at"
_NAMED = "FROM media JOIN artefact ON artefact.id = media.artefact_id"


class MediaVersion(msgspec.Struct, frozen=True):
    """One upload. `size` in bytes, times in seconds since the epoch."""

    artefact_id: bytes
    key: str
    size: int
    created_at: float
    due_at: float


async def newest(
    database: Database | Transaction, project_id: str, key: str, *, now: float
) -> MediaVersion | None:
    """The version that a job submitted now binds to; None: never uploaded, or past its deadline."""
    row = await database.fetchone(
        f"SELECT {_VERSION} {_NAMED} WHERE media.project_id = ? AND key = ? AND due_at > ?",
        (project_id, key, now),
    )
    return MediaVersion(*row) if row else None


async def named(
    database: Database, project_id: str, *, after: str, limit: int, now: float
) -> list[MediaVersion]:
    """The newest versions of the first `limit` keys behind `after`, in the order of the keys."""
    rows = await database.fetchall(
        f"SELECT {_VERSION} {_NAMED} WHERE media.project_id = ? AND key > ? AND due_at > ?"
        " ORDER BY key LIMIT ?",
        (project_id, after, now, limit),
    )
    return [MediaVersion(*row) for row in rows]


async def lives(database: Database, artefact_id: bytes, *, now: float) -> bool:
    """Whether a version's bytes are there, whatever its key points to, and not due."""
    row = await database.fetchone(
        "SELECT 1 FROM artefact WHERE id = ? AND due_at > ?", (artefact_id, now)
    )
    return row is not None


async def kept_bytes(
    database: Database | Transaction, project_id: str, replacing: str, *, now: float
) -> int:
    """What counts against a project's quota once the version of the key `replacing` is old.

    An old version counts for as long as an unfinished job is bound to it.
    """
    row = await database.fetchone(
        "SELECT coalesce(sum(size), 0) FROM artefact"
        " WHERE kind = 'media' AND project_id = ? AND due_at > ?"
        " AND (id IN (SELECT artefact_id FROM media WHERE project_id = ? AND key != ?)"
        f" OR id IN ({_BOUND}))",
        (project_id, now, project_id, replacing),
    )
    assert row is not None, "a sum always has a row"
    return int(row[0])


async def put(tx: Transaction, project_id: str, key: str, artefact_id: bytes) -> None:
    """Point `key` to a new version; the older one is `superseded`."""
    await tx.execute(
        "INSERT INTO media (project_id, key, artefact_id) VALUES (?, ?, ?)"
        " ON CONFLICT (project_id, key) DO UPDATE SET artefact_id = excluded.artefact_id",
        (project_id, key, artefact_id),
    )


async def withdraw(tx: Transaction, artefact_id: bytes) -> bool:
    """Take a version's name away for good. True: no unfinished job is bound to it."""
    await tx.execute("DELETE FROM media WHERE artefact_id = ?", (artefact_id,))
    await tx.execute("INSERT INTO withdrawn_media (artefact_id) VALUES (?)", (artefact_id,))
    return await tx.fetchone(f"{_SUPERSEDED} AND id = ?", (artefact_id,)) is not None


async def withdrawn(database: Database, artefact_id: bytes) -> bool:
    """Whether its owner deleted a version that unfinished jobs still need."""
    row = await database.fetchone(
        "SELECT 1 FROM withdrawn_media WHERE artefact_id = ?", (artefact_id,)
    )
    return row is not None


async def superseded(database: Database) -> list[tuple[bytes, DeletionReason]]:
    """Old and withdrawn versions that no unfinished job is bound to, and why they go."""
    rows = await database.fetchall(
        f"SELECT id, id IN (SELECT artefact_id FROM withdrawn_media) FROM ({_SUPERSEDED})"
    )
    return [(row[0], _reason(withdrawn=row[1])) for row in rows]


async def delete_superseded(
    database: Database,
    artefacts: ArtefactStore,
    *,
    now: float,
    among: list[bytes] | None = None,
) -> list[Receipt]:
    """Delete old and withdrawn versions that no unfinished job is bound to; all, or those `among`.

    Raises as `ArtefactStore.delete`.
    """

    async def delete(tx: Transaction, record: bytes) -> Receipt | None:
        # Looked at again within its transaction: a job may have been bound to it in between.
        if await tx.fetchone(f"{_SUPERSEDED} AND id = ?", (record,)) is None:
            return None
        withdrawn = await tx.fetchone(
            "SELECT 1 FROM withdrawn_media WHERE artefact_id = ?", (record,)
        )
        reason = _reason(withdrawn=withdrawn is not None)
        return await artefacts.delete_within(tx, record, reason, now=now)

    if among is None:
        among = [row[0] for row in await database.fetchall(_SUPERSEDED)]
    return await delete_each(database, among, delete, artefacts.empty_log)


def _reason(*, withdrawn: bool) -> DeletionReason:
    return DeletionReason.REQUESTED if withdrawn else DeletionReason.REPLACED


async def receipts(
    database: Database, project_id: str, *, before: str | None, limit: int
) -> list[Receipt]:
    """Of a project's media, the newest first; `before` is an artefact's id.

    Empty where `before` is no media of this project that has a receipt.
    """
    mine = "FROM ledger WHERE job_id IS NULL AND body ->> 'projectId' = ? AND kind = ?"
    older, parameters = "", [project_id, EntryKind.DELETION]
    if before is not None:
        older = f" AND seq < (SELECT seq {mine} AND body ->> 'artefactId' = ?)"
        parameters += [project_id, EntryKind.DELETION, before]
    rows = await database.fetchall(
        f"SELECT body {mine}{older} ORDER BY seq DESC LIMIT ?", (*parameters, limit)
    )
    return [msgspec.json.decode(body, type=Receipt) for (body,) in rows]


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
