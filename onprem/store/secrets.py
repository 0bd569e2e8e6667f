"""Secrets that must be shown or used again: wrapped under the master key, rotated with overlap."""

import secrets
from typing import Literal, TypeAlias

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from onprem.store.database import Database, Row, Transaction

Purpose: TypeAlias = Literal["voiceprint", "webhook", "signing"]

_COLUMNS = "id, purpose, project_id, wrapped, created_at, retires_at"
_NONCE_BYTES = 12


class Secret(msgspec.Struct, frozen=True):
    """`retires_at` is None for the one in use; times in seconds since the epoch."""

    id: str
    value: bytes
    created_at: float
    retires_at: float | None


class SecretStore:
    """`wrapping` is a key of 32 bytes, derived from the master key."""

    def __init__(self, database: Database, wrapping: bytes) -> None:
        self._database = database
        self._cipher = AESGCM(wrapping)

    async def add(
        self, tx: Transaction, purpose: Purpose, project_id: str | None, value: bytes, *, now: float
    ) -> Secret:
        secret_id = secrets.token_hex(8)
        nonce = secrets.token_bytes(_NONCE_BYTES)
        wrapped = nonce + self._cipher.encrypt(nonce, value, _name(secret_id, purpose, project_id))
        await tx.execute(
            f"INSERT INTO secret ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, NULL)",
            (secret_id, purpose, project_id, wrapped, now),
        )
        return Secret(secret_id, value, now, None)

    async def live(self, purpose: Purpose, project_id: str | None, *, now: float) -> list[Secret]:
        """The newest first; those that were rotated out serve until they retire."""
        rows = await self._database.fetchall(
            f"SELECT {_COLUMNS} FROM secret WHERE purpose = ? AND project_id IS ?"
            " AND (retires_at IS NULL OR retires_at > ?) ORDER BY created_at DESC, rowid DESC",
            (purpose, project_id, now),
        )
        return [self._secret(row) for row in rows]

    async def retire(
        self, tx: Transaction, purpose: Purpose, project_id: str | None, *, at: float
    ) -> None:
        """Let those in use serve until `at` only."""
        await tx.execute(
            "UPDATE secret SET retires_at = ?"
            " WHERE purpose = ? AND project_id IS ? AND retires_at IS NULL",
            (at, purpose, project_id),
        )

    def _secret(self, row: Row) -> Secret:
        secret_id, purpose, project_id, wrapped, created_at, retires_at = row
        nonce, sealed = wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:]
        value = self._cipher.decrypt(nonce, sealed, _name(secret_id, purpose, project_id))
        return Secret(secret_id, value, created_at, retires_at)


async def forget_retired(tx: Transaction, *, now: float) -> int:
    """Delete what was rotated out and serves no more. Returns how many."""
    return await tx.execute("DELETE FROM secret WHERE retires_at <= ?", (now,))


def _name(secret_id: str, purpose: str, project_id: str | None) -> bytes:
    """What a secret is wrapped as: it opens as no other."""
    return f"{secret_id}|{purpose}|{project_id or ''}".encode()
