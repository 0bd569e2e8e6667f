"""How deadlines are kept at this moment, as far as the store shows it: for whoever is no server."""

import msgspec

from onprem.clock import Clock
from onprem.core.receipt import ArtefactKind
from onprem.core.retention import GRACE_SECONDS
from onprem.services.compliance import ClockState, KindState
from onprem.store import clock_mark, retained
from onprem.store.database import Database


class StoredGauges(msgspec.Struct, frozen=True, rename="camel"):
    """`last_sweep_age_seconds` is null where nothing was ever swept."""

    overdue: int
    kinds: dict[ArtefactKind, KindState]
    last_sweep_age_seconds: float | None
    worker_copies: int
    clock: ClockState


async def stored_gauges(database: Database, clock: Clock) -> StoredGauges:
    stamp = clock.stamp()
    found = await retained.by_kind(database, now=stamp.at, grace=GRACE_SECONDS)
    last_sweep = await clock_mark.last_sweep(database)
    return StoredGauges(
        overdue=sum(each.overdue for each in found),
        kinds={
            each.kind: KindState(each.live, _age(each.oldest_at, stamp.at), each.due, each.overdue)
            for each in found
        },
        last_sweep_age_seconds=_age(last_sweep, stamp.at),
        worker_copies=len(await retained.worker_copies(database)),
        clock=ClockState(round(stamp.wall - stamp.at, 3), stamp.synchronised),
    )


def _age(moment: float | None, now: float) -> float | None:
    return None if moment is None else round(max(0.0, now - moment), 3)
