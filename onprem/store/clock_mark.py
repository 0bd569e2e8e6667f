"""Where retention time stood: written by each sweep, read by all who open the store."""

from onprem.clock import Mark
from onprem.store.database import Database, Transaction


async def read(database: Database) -> Mark | None:
    """None: nothing was ever swept here."""
    row = await database.fetchone("SELECT time, boot_id, boottime, lags_since FROM clock_mark")
    return Mark(*row) if row else None


async def write(tx: Transaction, mark: Mark) -> None:
    """Never back: of two processes the one that is further stands."""
    await tx.execute(
        "INSERT INTO clock_mark (id, time, boot_id, boottime, lags_since) VALUES (1, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET time = excluded.time, boot_id = excluded.boot_id,"
        " boottime = excluded.boottime, lags_since = excluded.lags_since"
        " WHERE excluded.time >= time",
        (mark.time, mark.boot_id, mark.boottime, mark.lags_since),
    )


async def accept(tx: Transaction, mark: Mark) -> None:
    """Take `mark` for the truth, back or forth."""
    await tx.execute("DELETE FROM clock_mark")
    await write(tx, mark)


async def swept(tx: Transaction, now: float) -> None:
    """A sweep did all that it had to; the mark is there."""
    await tx.execute("UPDATE clock_mark SET swept_at = ?", (now,))


async def last_sweep(database: Database) -> float | None:
    """Retention time of the last sweep that did all; None: there was none."""
    row = await database.fetchone("SELECT swept_at FROM clock_mark")
    return row[0] if row else None
