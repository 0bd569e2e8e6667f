"""Reading jobs, with their deadlines enforced at the moment of reading."""

import msgspec

from onprem.clock import Clock
from onprem.core.access import Means
from onprem.core.job import JobStatus
from onprem.core.receipt import ArtefactKind, Receipt
from onprem.errors import InvalidRequest, NotFound
from onprem.faults import Fault
from onprem.runner.progress import Progress, ProgressBoard
from onprem.runner.speed import Speed
from onprem.services.access import AccessLog, Reader
from onprem.services.keys import Principal
from onprem.store import jobs, ledger, queue
from onprem.store.artefacts import ArtefactStore
from onprem.store.database import Database
from onprem.store.jobs import Job, Selection


class JobState(msgspec.Struct, frozen=True):
    """A job as its owner may see it now. `output` is JSON; None: not yet, or no more.

    `stopping`: it was canceled, and its run has not ended yet. `queue_position` counts the
    waiting jobs of its project. `eta` is when it is likely to be done, in seconds since the epoch.
    """

    job: Job
    output: bytes | None = None
    output_expired: bool = False
    progress: Progress | None = None
    stopping: bool = False
    queue_position: int | None = None
    eta: float | None = None


class Page(msgspec.Struct, frozen=True):
    """Some jobs, the newest first, and the cursor of the next page; None: there is none."""

    jobs: list[Job]
    next_cursor: str | None


class Jobs:
    def __init__(
        self,
        database: Database,
        artefacts: ArtefactStore,
        access: AccessLog,
        progress: ProgressBoard,
        speed: Speed,
        clock: Clock,
    ) -> None:
        self._database = database
        self._artefacts = artefacts
        self._access = access
        self._progress = progress
        self._speed = speed
        self._clock = clock

    async def get(self, principal: Principal, job_id: str) -> JobState:
        """Raises:
        NotFound: also for another project's job, and for one that was deleted.
        StorageFull, StoreBusy: it has an output, and that it is read cannot be noted.
        """
        state = await self.state(principal, job_id)
        output_id = state.job.output_id
        if output_id is None or state.output_expired:
            return state
        output = await self._artefacts.read(output_id, now=self._clock.now())
        if output is None:
            return state
        reader = Reader(principal.actor, Means.API, state.job.project_id, job_id)
        if not await self._access.admit(reader, {output_id: ArtefactKind.OUTPUT}):
            return await self.get(principal, job_id)
        return msgspec.structs.replace(state, output=output)

    async def state(self, principal: Principal, job_id: str) -> JobState:
        """As `get`, without the output."""
        job = await jobs.get(self._database, job_id, principal.project_id, deleted=True)
        if job is None:
            raise NotFound(what="job")
        if job.finished_at is not None:
            return await self._ended(job)
        if job.status is JobStatus.RUNNING:
            eta = self._progress.expected(job_id)
            if eta is not None and eta <= self._clock.now():
                eta = None
            return JobState(job, progress=self._progress.of(job_id), eta=eta)
        ahead = await queue.ahead(self._database, job)
        return JobState(job, queue_position=ahead.position, eta=self._eta(job, ahead.jobs))

    async def _ended(self, job: Job) -> JobState:
        stopping = bool(await self._artefacts.worker_copies(job.id))
        if job.deleted_at is not None and not stopping:
            raise NotFound(what="job")
        expired = job.output_due_at is not None and job.output_due_at <= self._clock.now()
        return JobState(job, output_expired=expired, stopping=stopping)

    def _eta(self, job: Job, ahead: int) -> float | None:
        one, own = self._speed.needed(None), self._speed.needed(job.duration)
        if one is None or own is None:
            return None
        return self._clock.now() + ahead * one + own

    async def page(
        self,
        principal: Principal,
        *,
        limit: int,
        cursor: str | None = None,
        status: JobStatus | None = None,
    ) -> Page:
        """Raises InvalidRequest for a cursor that is no job of this project."""
        project = principal.project_id
        if cursor is not None:
            known = await jobs.get(self._database, cursor, project, deleted=True)
            if known is None:
                raise InvalidRequest([Fault("cursor", "No job of this project")])
        found = await jobs.newest(
            self._database, Selection(project, status), limit=limit + 1, older_than=cursor
        )
        more = len(found) > limit
        return Page(found[:limit], found[limit - 1].id if more else None)

    async def slice(
        self, principal: Principal, *, take: int, skip: int, status: JobStatus | None = None
    ) -> tuple[list[Job], int]:
        """Some jobs, the newest first, and how many there are in all."""
        selection = Selection(principal.project_id, status)
        found = await jobs.newest(self._database, selection, limit=take, skip=skip)
        return found, await jobs.count(self._database, selection)

    async def receipts(self, principal: Principal, job_id: str) -> list[Receipt]:
        """What was deleted of this job so far, also after the job itself. Raises NotFound."""
        project = principal.project_id
        receipts = await ledger.receipts_of_job(self._database, job_id)
        own = [receipt for receipt in receipts if receipt.project_id == project]
        if not own and await jobs.get(self._database, job_id, project) is None:
            raise NotFound(what="job")
        return own
