"""Deletes what a plan lists; what resists keeps no other from being deleted."""

from collections.abc import Callable, Iterator
from itertools import groupby

import msgspec

from onprem.core.purge import Item
from onprem.core.receipt import ArtefactKind, DeletionReason, Receipt
from onprem.errors import OnpremError, PurgeIncomplete, StoreBusy
from onprem.store import media
from onprem.store.artefacts import ArtefactStore
from onprem.store.database import Database

AT_ONCE = 64
"""Records between two looks at SQLite's log, and between two reports of progress."""

Progress = Callable[[int, int], None]
"""Told how many of how many are dealt with."""


class Removed(msgspec.Struct, frozen=True):
    """How many were deleted at once; `failures` are what kept others from it."""

    count: int
    failures: list[OnpremError | OSError]


async def remove(
    database: Database,
    artefacts: ArtefactStore,
    items: list[Item],
    *,
    now: float,
    progress: Progress | None = None,
) -> Removed:
    """In the order of the items. The caller empties SQLite's log when all is done.

    A database that stays locked ends it: each of the others would wait for it as well.
    """
    count = done = 0
    failures: list[OnpremError | OSError] = []
    for some in _chunks(items):
        try:
            count += len(await _delete(database, artefacts, some, now))
        except StoreBusy as busy:
            return Removed(count, [*failures, busy])
        except PurgeIncomplete:  # a later look at the log decides
            count += len(some)
        except (OnpremError, OSError) as failure:
            failures.append(failure)
        done += len(some)
        if progress is not None:
            progress(done, len(items))
    return Removed(count, failures)


async def _delete(
    database: Database, artefacts: ArtefactStore, items: list[Item], now: float
) -> list[Receipt]:
    """Items that go for the same reason."""
    records, first = [item.record for item in items], items[0]
    if _superseded(first):
        # A job may have been bound to it since: looked at again within its transaction.
        return await media.delete_superseded(database, artefacts, now=now, among=records)
    return await artefacts.delete(records, first.reason, now=now)


def _superseded(item: Item) -> bool:
    """An old or withdrawn version of media, which its owner's jobs may still need."""
    asked = item.reason in (DeletionReason.REPLACED, DeletionReason.REQUESTED)
    return item.kind is ArtefactKind.MEDIA and asked


def _chunks(items: list[Item]) -> Iterator[list[Item]]:
    for _, group in groupby(items, key=lambda item: (item.reason, _superseded(item))):
        alike = list(group)
        for start in range(0, len(alike), AT_ONCE):
            yield alike[start : start + AT_ONCE]
