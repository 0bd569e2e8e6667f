"""Brings the database to the newest schema. `schema.sql` is the truth; migrations lead there."""

from importlib import resources

from onprem.errors import SchemaTooNew
from onprem.store.database import Database


def migrations() -> list[str]:
    """The SQL of each migration, oldest first; the n-th leads to schema version n."""
    folder = resources.files("onprem.store.migrations")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(folder / name).read_text() for name in names]


async def schema_version(database: Database) -> int:
    row = await database.fetchone("PRAGMA user_version")
    return int(row[0]) if row else 0


async def missing(database: Database) -> int:
    """How many migrations are to be applied.

    Raises:
        SchemaTooNew: a newer onprem wrote this database.
    """
    version, known = await schema_version(database), len(migrations())
    if version > known:
        raise SchemaTooNew(found=version, known=known)
    return known - version


async def migrate(database: Database) -> int:
    """Apply what is missing, each migration in a transaction of its own.

    The caller holds the data directory's exclusive lock. Returns how many were applied.

    Raises:
        SchemaTooNew: a newer onprem wrote this database.
    """
    count, steps = await missing(database), migrations()
    done = len(steps) - count
    for number, sql in enumerate(steps[done:], start=done + 1):
        await database.script(f"{sql}\nPRAGMA user_version = {number};")
    return count
