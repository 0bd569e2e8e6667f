"""Tells a wrong master key from the right one, before anything is read or mended with it."""

import hmac
from pathlib import Path

from onprem.errors import DataDirectoryDamaged, MasterKeyUnusable
from onprem.store.database import Database, Transaction
from onprem.store.master_key import MasterKey

_PURPOSE = "key check"


async def write(tx: Transaction, master: MasterKey) -> None:
    """Once, when the database is made."""
    await tx.execute("INSERT INTO key_check (id, value) VALUES (1, ?)", (master.derive(_PURPOSE),))


async def check(database: Database, master: MasterKey, path: Path) -> None:
    """`path`: the file that the master key was read from.

    Raises:
        MasterKeyUnusable: it is not the key that this database was made with.
        DataDirectoryDamaged: the database does not know its key.
    """
    row = await database.fetchone("SELECT value FROM key_check")
    if row is None:
        raise DataDirectoryDamaged(what="it knows no master key, for `onprem init` did not end")
    if not hmac.compare_digest(row[0], master.derive(_PURPOSE)):
        raise MasterKeyUnusable(path=path, why="this data directory was made with another one")
