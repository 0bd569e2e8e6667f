"""What happens by the clock: the sweep, every half minute."""

import logging

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from onprem.errors import OnpremError
from onprem.services.sweep import Sweep

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 30
"""At most 60 s after its deadline nothing is on the disk any more; this leaves room for a retry."""


def build_scheduler(sweep: Sweep) -> AsyncIOScheduler:
    """A scheduler that is not started yet.

    A run that is late is still run (`misfire_grace_time=None`), once however many were missed.
    """
    # APScheduler logs each run with its repr; what matters is logged by the sweep.
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    scheduler = AsyncIOScheduler()
    scheduler.add_job(
        _sweep,
        "interval",
        args=[sweep],
        seconds=SWEEP_SECONDS,
        misfire_grace_time=None,
        coalesce=True,
        max_instances=1,
    )
    return scheduler


async def _sweep(sweep: Sweep) -> None:
    try:
        swept = await sweep.run()
    except OnpremError as error:
        # The next run repeats it; nothing counts as deleted until its receipt is written.
        logger.error("the sweep did not finish: %s", error.code)
        return
    if swept.deleted or swept.expired_jobs:
        logger.info("swept: %d deleted, %d jobs expired", swept.deleted, swept.expired_jobs)
