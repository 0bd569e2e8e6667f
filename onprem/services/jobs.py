"""Reading jobs, with their deadlines enforced at the moment of reading."""

import msgspec

from onprem.clock import Clock
from onprem.core.receipt import Receipt
from onprem.errors import NotFound
from onprem.runner.progress import Progress, ProgressBoard
from onprem.services.keys import Principal
from onprem.store import jobs, ledger
from onprem.store.artefacts import ArtefactStore
from onprem.store.database import Database
from onprem.store.jobs import Job


class JobState(msgspec.Struct, frozen=True):
    """A job as its owner may see it now. `output` is JSON; None: not yet, or no more."""

    job: Job
    output: bytes | None
    output_expired: bool
    progress: Progress | None


class Jobs:
    def __init__(
        self,
        database: Database,
        artefacts: ArtefactStore,
        progress: ProgressBoard,
        clock: Clock,
    ) -> None:
        self._database = database
        self._artefacts = artefacts
        self._progress = progress
        self._clock = clock

    async def get(self, principal: Principal, job_id: str) -> JobState:
        """Raises NotFound, also for another project's job."""
        job = await self._owned(principal, job_id)
        now = self._clock.now()
        expired = job.output_due_at is not None and job.output_due_at <= now
        output = None
        if job.output_id is not None and not expired:
            output = await self._artefacts.read(job.output_id, now=now)
        return JobState(job, output, expired, self._progress.of(job_id))

    async def receipts(self, principal: Principal, job_id: str) -> list[Receipt]:
        """What was deleted of this job so far. Raises NotFound."""
        await self._owned(principal, job_id)
        return await ledger.receipts_of_job(self._database, job_id)

    async def _owned(self, principal: Principal, job_id: str) -> Job:
        job = await jobs.get(self._database, job_id, principal.project_id)
        if job is None:
            raise NotFound(what="job")
        return job
