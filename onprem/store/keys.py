"""API keys at rest: their hash, never themselves."""

import msgspec

from onprem.store.database import Database, Row, Transaction

_COLUMNS = "id, project_id, name, hash, scopes, created_at, expires_at, revoked_at"


class StoredKey(msgspec.Struct, frozen=True):
    """`hash` is the SHA-256 of the whole key; times in seconds since the epoch."""

    id: str
    project_id: str
    name: str
    hash: bytes
    scopes: list[str]
    created_at: float
    expires_at: float | None = None
    revoked_at: float | None = None


async def insert(tx: Transaction, key: StoredKey) -> None:
    values = [
        msgspec.json.encode(value).decode() if isinstance(value, list) else value
        for value in msgspec.structs.astuple(key)
    ]
    await tx.execute(f"INSERT INTO api_key ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)


async def by_id(database: Database | Transaction, key_id: str) -> StoredKey | None:
    """None also for one of an erased project."""
    row = await database.fetchone(
        f"SELECT {_COLUMNS} FROM api_key WHERE id = ? AND project_id NOT IN"
        " (SELECT id FROM project WHERE erased_at IS NOT NULL)",
        (key_id,),
    )
    return _key(row) if row else None


async def every(database: Database) -> list[StoredKey]:
    """Not those of erased projects."""
    rows = await database.fetchall(
        f"SELECT {_COLUMNS} FROM api_key WHERE project_id NOT IN"
        " (SELECT id FROM project WHERE erased_at IS NOT NULL) ORDER BY created_at"
    )
    return [_key(row) for row in rows]


async def revoke(tx: Transaction, key_id: str, *, now: float) -> bool:
    """False: there is no such key, or it was revoked before."""
    changed = await tx.execute(
        "UPDATE api_key SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", (now, key_id)
    )
    return changed == 1


def _key(row: Row) -> StoredKey:
    values = list(row)
    values[4] = msgspec.json.decode(values[4])
    return StoredKey(*values)
