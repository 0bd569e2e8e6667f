"""Canceling and deleting jobs, by their owner or by the operator."""

import logging

from onprem.clock import Clock
from onprem.core.act import Act, ActKind
from onprem.core.job import TERMINAL, JobStatus
from onprem.core.receipt import DeletionReason
from onprem.errors import JobFinished, NotFound
from onprem.runner.finish import CANCELED, Finisher
from onprem.runner.progress import ProgressBoard
from onprem.runner.wake import Wake
from onprem.store import jobs, ledger
from onprem.store.artefacts import ArtefactStore
from onprem.store.database import Database, Transaction
from onprem.store.jobs import Job

logger = logging.getLogger(__name__)


class Cancellation:
    """A canceled job has its terminal state at once. A run in work learns of it from the row,
    ends at its next cancel point, and then writes the receipt of its worker copy.

    `project_id` is the owner's: another project's job does not exist. Where it is not the owner
    who asks, `operator` is the actor that the ledger names.
    """

    def __init__(
        self,
        database: Database,
        artefacts: ArtefactStore,
        finisher: Finisher,
        progress: ProgressBoard,
        wake: Wake,
        clock: Clock,
    ) -> None:
        self._database = database
        self._artefacts = artefacts
        self._finisher = finisher
        self._progress = progress
        self._wake = wake
        self._clock = clock

    async def cancel(self, project_id: str, job_id: str, *, operator: str | None = None) -> None:
        """Canceling again changes nothing.

        Raises:
            NotFound: there is no such job, or it was deleted.
            JobFinished: it ended otherwise.
            StorageFull, StoreBusy: it goes on.
        """
        async with self._database.write() as tx:
            job = await self._found(tx, project_id, job_id)
            if job.deleted_at is not None:
                raise NotFound(what="job")
            if job.status in TERMINAL:
                if job.status is JobStatus.CANCELED:
                    return
                raise JobFinished(status=job.status.value)
            await self._finisher.conclude(tx, job, CANCELED, now=self._clock.now())
            await self._note(tx, ActKind.JOB_CANCELED, operator, job)
        self.tell(job)
        await self._finisher.drop_request(job)

    async def delete(self, project_id: str, job_id: str, *, operator: str | None = None) -> bool:
        """Cancel the job if it has not ended, and delete all that is stored of it.

        Only a tombstone remains, which no read shows. False: its run has not ended yet, and so
        its worker copy is still there. Deleting again changes nothing.

        Raises:
            NotFound: there is no such job.
            OSError, StorageFull, DataDirectoryDamaged: the job is gone from all reads, and what
                resisted waits for a sweep.
            StoreBusy: as that, or nothing was done.
        """
        now = self._clock.now()
        async with self._database.write() as tx:
            job = await self._found(tx, project_id, job_id)
            if job.status not in TERMINAL:
                await self._finisher.conclude(tx, job, CANCELED, now=now)
            if job.deleted_at is None:
                await jobs.mark_deleted(tx, job_id, now=now)
                await self._note(tx, ActKind.JOB_DELETED, operator, job)
        self.tell(job)
        stored = await jobs.stored_of_deleted(self._database, job_id)
        await self._artefacts.delete(stored, DeletionReason.REQUESTED, now=now)
        return not await self._artefacts.worker_copies(job_id)

    async def _found(self, tx: Transaction, project_id: str, job_id: str) -> Job:
        job = await jobs.get(tx, job_id, project_id, deleted=True)
        if job is None:
            raise NotFound(what="job")
        return job

    async def _note(self, tx: Transaction, kind: ActKind, operator: str | None, job: Job) -> None:
        if operator is not None:
            act = Act(kind, operator, job.project_id, job.id)
            await ledger.append_act(tx, self._clock.stamp(), act, job_id=job.id)

    def tell(self, job: Job) -> None:
        """The run that is in work, and those who watch."""
        if job.finished_at is None:
            logger.info("job %s canceled", job.id)
            self._finisher.tell(job, JobStatus.CANCELED)
            self._wake.set()
            self._progress.ring()
