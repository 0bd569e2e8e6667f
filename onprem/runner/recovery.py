"""At start: jobs that were running when the last process died are put back, or given up."""

import logging

from onprem.core.job import Interrupted, after_crash
from onprem.core.receipt import DeletionReason
from onprem.errors import WorkerLost
from onprem.runner.finish import Finisher, Outcome
from onprem.store import jobs
from onprem.store.artefacts import ArtefactStore
from onprem.store.database import Database

logger = logging.getLogger(__name__)


async def recover_jobs(
    database: Database, artefacts: ArtefactStore, finisher: Finisher, *, allowed_attempts: int
) -> int:
    """Returns how many jobs it touched. No other process runs jobs: the caller holds the lock.

    A worker copy lived in the memory of the process that died, so its receipt can be written.

    Raises:
        StorageFull, StoreBusy: the next start goes on from there.
    """
    orphans = await jobs.running(database)
    for job in orphans:
        copies = await artefacts.worker_copies(job.id)
        if after_crash(job.attempts, job.claims, allowed_attempts) is Interrupted.RUN_AGAIN:
            await finisher.requeue_crashed(job, copies)
        else:
            outcome = Outcome.failed(WorkerLost(attempts=job.claims))
            await finisher.end(job, outcome, copies, DeletionReason.CRASH)
    return len(orphans)
