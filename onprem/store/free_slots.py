"""Which slots of the record-key file are free: taken for a new key, given back with a receipt."""

from functools import partial

from onprem.store.database import Database, Transaction
from onprem.store.slots import SlotFile
from onprem.threads import in_thread


async def take(tx: Transaction, slots: SlotFile, record: bytes, key: bytes) -> int:
    """Write `key` to a free slot, which a rollback erases. Raises StorageFull."""
    slot = await _next_free(tx)
    if slot is None:
        # No slot is free, so those in use are all there are; the file may be longer, if a
        # transaction that made it grow was rolled back.
        row = await tx.fetchone("SELECT coalesce(max(slot) + 1, 0) FROM artefact")
        assert row is not None
        fresh = await in_thread(slots.grow, row[0])
        await tx.execute(
            "WITH RECURSIVE fresh (slot) AS"
            " (SELECT ? UNION ALL SELECT slot + 1 FROM fresh WHERE slot < ?)"
            " INSERT INTO free_slot SELECT slot FROM fresh",
            (fresh.start, fresh.stop - 1),
        )
        slot = await _next_free(tx)
    assert slot is not None
    tx.on_rollback(partial(slots.erase, slot, record))
    await in_thread(slots.write, slot, record, key)
    return slot


async def give_back(tx: Transaction, slot: int) -> None:
    """In the same transaction as the receipt of what it protected: it is never reused earlier."""
    await tx.execute("INSERT INTO free_slot (slot) VALUES (?)", (slot,))


async def every(database: Database) -> set[int]:
    return {row[0] for row in await database.fetchall("SELECT slot FROM free_slot")}


async def known(database: Database) -> int:
    """Slots that the record-key file must have, for the database has committed them."""
    row = await database.fetchone(
        "SELECT coalesce(max(slot) + 1, 0)"
        " FROM (SELECT slot FROM artefact UNION ALL SELECT slot FROM free_slot)"
    )
    return int(row[0]) if row else 0


async def _next_free(tx: Transaction) -> int | None:
    row = await tx.fetchone(
        "DELETE FROM free_slot WHERE slot = (SELECT min(slot) FROM free_slot) RETURNING slot"
    )
    return row[0] if row else None
