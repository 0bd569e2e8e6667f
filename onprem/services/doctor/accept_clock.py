"""`onprem doctor --accept-clock`: retention time went ahead by a clock that was wrong."""

import msgspec

from onprem.clock import SMALL_LEAD, RetentionClock
from onprem.core.act import Act, ActKind
from onprem.errors import ClockNotAhead, ClockNotSynchronised
from onprem.store import clock_mark, ledger
from onprem.store.database import Database
from onprem.store.redating import redate


class Accepted(msgspec.Struct, frozen=True):
    """`lead`: seconds that retention time was ahead; `redated`: how many artefacts were made
    meanwhile. They keep the time that they had left."""

    lead: float
    redated: int


async def accept_clock(database: Database, clock: RetentionClock, actor: str) -> Accepted:
    """Set retention time back to the machine's clock. No server may run.

    Raises:
        ClockNotAhead: there is nothing to set back.
        ClockNotSynchronised: who sets the clock back could lengthen what is stored, by any time.
    """
    stamp, mark = clock.stamp(), clock.mark()
    lead = stamp.at - stamp.wall
    if lead <= SMALL_LEAD:
        raise ClockNotAhead()
    if not stamp.synchronised:
        raise ClockNotSynchronised()
    details = {"leadSeconds": round(lead, 3), "synchronised": stamp.synchronised}
    act = Act(ActKind.CLOCK_ACCEPTED, actor, details=details)
    async with database.write() as tx:
        redated = await redate(tx, lead=lead, wall=stamp.wall)
        await clock_mark.accept(tx, msgspec.structs.replace(mark, time=stamp.wall, lags_since=None))
        await ledger.append_act(tx, msgspec.structs.replace(stamp, at=stamp.wall), act)
    return Accepted(lead, redated)
