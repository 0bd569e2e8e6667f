"""The claim loop: takes waiting jobs in turn, keeps a few in work, passes on cancels, stops."""

import asyncio
import logging
from collections.abc import Collection

from onprem.clock import Clock
from onprem.core.cancel import CancelReason
from onprem.errors import OnpremError, described
from onprem.runner.accelerator import Accelerator
from onprem.runner.attended import Attended
from onprem.runner.job_run import ActiveRun, JobRunner
from onprem.runner.lanes import Lanes
from onprem.runner.ports import Engine
from onprem.runner.progress import ProgressBoard
from onprem.runner.wake import POLL_SECONDS, Wake
from onprem.store import jobs, queue
from onprem.store.artefacts import ArtefactStore
from onprem.store.database import Database

logger = logging.getLogger(__name__)

LOAD_AGAIN_SECONDS = 10.0
"""Pause before models that could not be loaded are tried again: somebody may fetch them."""


class RunnerLoop:
    """Runs from `run` until `stop`; `ready` tells whether jobs are taken."""

    def __init__(
        self,
        database: Database,
        artefacts: ArtefactStore,
        runner: JobRunner,
        engine: Engine,
        accelerator: Accelerator,
        attended: Attended,
        lanes: Lanes,
        progress: ProgressBoard,
        wake: Wake,
        clock: Clock,
        *,
        regions: list[str],
    ) -> None:
        self._database = database
        self._artefacts = artefacts
        self._runner = runner
        self._engine = engine
        self._accelerator = accelerator
        self._attended = attended
        self._lanes = lanes
        self._progress = progress
        self._wake = wake
        self._clock = clock
        self._regions = regions
        self._active: dict[str, ActiveRun] = {}
        self._fault: BaseException | None = None
        self.stopping = False
        self.ready = False
        self.problem: OnpremError | None = None
        """Why the models are not loaded; None while they load and once they are."""

    @property
    def in_work(self) -> Collection[str]:
        """Ids of the jobs whose runs have not ended."""
        return self._active.keys()

    def stop(self) -> None:
        """Take no more jobs, and put those in work back in the queue."""
        self.stopping = True
        self.ready = False
        self._progress.close()
        self._wake.set()

    async def run(self) -> None:
        """Returns after `stop`, when no job is in work any more.

        Raises what a fault of ours raised, its own or a run's: the process must end then, for
        only the next start finds a job whose run was lost.
        """
        try:
            await self._load_models()
            while not self.stopping:
                await self._take_turn()
        finally:
            self.ready = False
            await self._stop_active()
        if self._fault is not None:
            raise self._fault

    async def _take_turn(self) -> None:
        try:
            await self._pass_on_cancels()
            await self._claim_attended()
            if await self._claim():
                return
        except OnpremError as error:
            # A full disk or a busy database: jobs wait, nothing is lost.
            logger.warning("no job can be claimed now: %s", error.code)
            await asyncio.sleep(POLL_SECONDS)
        await self._wake.wait()

    async def _stop_active(self) -> None:
        for run in self._active.values():
            run.stop(CancelReason.SHUTDOWN)
        await asyncio.gather(
            *(run.task for run in self._active.values() if run.task), return_exceptions=True
        )

    async def _load_models(self) -> None:
        while not self.stopping:
            try:
                await self._accelerator.load(self._engine.load)
            except OnpremError as problem:
                if self.problem is None or self.problem.code != problem.code:
                    logger.error("models are not loaded: %s", problem.sentence)
                self.problem = problem
                await self._pause(LOAD_AGAIN_SECONDS)
            else:
                self.problem, self.ready = None, not self.stopping
                return

    async def _pause(self, seconds: float) -> None:
        for _ in range(round(seconds / POLL_SECONDS)):
            if not self.stopping:
                await asyncio.sleep(POLL_SECONDS)

    async def _pass_on_cancels(self) -> None:
        """To runs whose job has ended: its owner, or the operator, asked for that."""
        if not self._active:
            return
        still = {job.id for job in await jobs.running(self._database)}
        for job_id in self._active.keys() - still:
            self._active[job_id].stop(CancelReason.USER)

    async def _claim(self) -> bool:
        now, places = self._clock.now(), self._lanes.places()
        if not places.any:
            return False
        async with self._database.write() as tx:
            job = await queue.claim_next(tx, regions=self._regions, places=places, now=now)
            if job is None:
                return False
            worker_copy = await self._artefacts.note_worker_copy(
                tx, project_id=job.project_id, job_id=job.id, now=now
            )
        self._lanes.begin(job)
        self._start(ActiveRun(job, worker_copy))
        return True

    async def _claim_attended(self) -> None:
        """Take no place: their recordings hold memory that the jobs in work may wait for."""
        for call in self._attended.waiting():
            async with self._database.write() as tx:
                job = await queue.claim(tx, call.job_id, now=self._clock.now())
            call.waits = False
            if job is not None:
                (worker_copy,) = await self._artefacts.worker_copies(job.id)
                self._start(ActiveRun(job, worker_copy))

    def _start(self, run: ActiveRun) -> None:
        self._active[run.job.id] = run
        run.task = asyncio.create_task(self._runner.run(run), name=f"job {run.job.id}")
        run.task.add_done_callback(lambda _: self._finished(run))
        self._progress.ring()

    def _finished(self, run: ActiveRun) -> None:
        del self._active[run.job.id]
        self._lanes.end(run.job.id)
        if run.task and not run.task.cancelled() and (error := run.task.exception()):
            # Its row says running; the next start puts it back in the queue.
            logger.critical("job %s was lost by a fault: %s", run.job.id, described(error))
            self._fault = error
            self.stop()
        self._progress.ring()
        self._wake.set()
