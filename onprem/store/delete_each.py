"""Deleting several records: one that resists does not keep the others."""

import logging
from collections.abc import Awaitable, Callable

from onprem.core.receipt import Receipt
from onprem.errors import (
    DataDirectoryDamaged,
    DeletionUnverified,
    PurgeIncomplete,
    StorageFull,
    described,
)
from onprem.store.database import Database, Transaction

logger = logging.getLogger(__name__)

RECORD_FAULTS = (OSError, StorageFull, DataDirectoryDamaged, DeletionUnverified)
"""What may stop one record and leave the next alone. StoreBusy would stop each of them."""


async def delete_each(
    database: Database,
    records: list[bytes],
    delete: Callable[[Transaction, bytes], Awaitable[Receipt | None]],
    empty_log: Callable[[], Awaitable[None]],
) -> list[Receipt]:
    """Call `delete` for each record, in a transaction of its own. Returns the receipts.

    Calls `empty_log` at the end: before that nothing is gone for good.

    Raises:
        OSError, StorageFull, DataDirectoryDamaged, DeletionUnverified: the first that stopped a
            record; each that is not about room is in the log. All other records are deleted.
        PurgeIncomplete: a reader holds SQLite's log; each sweep tries again to empty it.
        StoreBusy: at once.
    """
    receipts = []
    first: OSError | StorageFull | DataDirectoryDamaged | DeletionUnverified | None = None
    for record in records:
        try:
            async with database.write() as tx:
                receipt = await delete(tx, record)
        except RECORD_FAULTS as error:
            if not isinstance(error, StorageFull):
                logger.error("%s cannot be deleted: %s", record.hex(), described(error))
            first = first or error
            continue
        if receipt is not None:
            receipts.append(receipt)
    held: PurgeIncomplete | None = None
    if receipts:
        try:
            await empty_log()
        except PurgeIncomplete as error:
            held = error
    if first is not None:
        raise first
    if held is not None:
        raise held
    return receipts
