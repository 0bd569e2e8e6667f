"""At start: jobs that were running when the last process died are put back, or given up."""

import logging
from contextlib import suppress

from onprem.clock import Clock
from onprem.core.job import Interrupted, after_crash
from onprem.core.receipt import DeletionReason
from onprem.errors import RecordingLost, WorkerLost
from onprem.runner.finish import Finisher, Outcome
from onprem.store import jobs
from onprem.store.artefacts import ArtefactStore
from onprem.store.database import Database
from onprem.store.jobs import Job, JobMoved

logger = logging.getLogger(__name__)


async def recover_jobs(
    database: Database,
    artefacts: ArtefactStore,
    finisher: Finisher,
    clock: Clock,
    *,
    allowed_attempts: int,
) -> int:
    """Returns how many jobs it touched. No other process runs jobs: the caller holds the lock.

    A worker copy lived in the memory of the process that died, so its receipt can be written;
    also that of a job which was canceled, and had not stopped yet.

    Raises:
        StorageFull, StoreBusy: the next start goes on from there.
    """
    for job in await jobs.attended(database):
        await _hang_up(database, artefacts, finisher, clock, job)
    orphans = await jobs.running(database)
    for job in orphans:
        copies = await artefacts.worker_copies(job.id)
        with suppress(JobMoved):  # somebody cancels it in this moment
            if after_crash(job.attempts, job.claims, allowed_attempts) is Interrupted.RUN_AGAIN:
                await finisher.requeue_crashed(job, copies)
            else:
                outcome = Outcome.failed(WorkerLost(attempts=job.claims))
                await finisher.end(job, outcome, copies, DeletionReason.CRASH)
    left = await artefacts.worker_copies()
    await artefacts.delete(left, DeletionReason.CRASH, now=clock.now())
    return len(orphans)


async def _hang_up(
    database: Database, artefacts: ArtefactStore, finisher: Finisher, clock: Clock, job: Job
) -> None:
    """The client of this job waited for an answer that nobody can send any more."""
    if job.finished_at is None:
        copies = await artefacts.worker_copies(job.id)
        outcome = Outcome.failed(RecordingLost())
        with suppress(JobMoved):
            await finisher.end(job, outcome, copies, DeletionReason.CRASH)
    elif job.output_id is not None:
        now = clock.now()
        await artefacts.delete([job.output_id], DeletionReason.CRASH, now=now)
        async with database.write() as tx:
            await jobs.end_output(tx, job.id, now=now)
