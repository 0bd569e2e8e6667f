"""Deliveries as the job's owner sees them, and the owner's word that the output has arrived."""

from onprem.clock import Clock
from onprem.core.job import TERMINAL
from onprem.core.retention import DELIVERED_SECONDS
from onprem.errors import NotFound, OutputNotReady
from onprem.services.keys import Principal
from onprem.store import deliveries, jobs
from onprem.store.database import Database
from onprem.store.deliveries import Delivery
from onprem.store.jobs import Job


class Deliveries:
    """All methods raise NotFound, also for another project's job."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def of_job(self, principal: Principal, job_id: str) -> list[Delivery]:
        """Also those that wait for the job's end."""
        await self._owned(principal, job_id)
        return await deliveries.of_job(self._database, job_id)

    async def acknowledge(self, principal: Principal, job_id: str) -> Job:
        """Note that the owner has the output; the first time counts.

        Raises:
            OutputNotReady: the job has not ended.
        """
        job = await self._owned(principal, job_id)
        if job.status not in TERMINAL:
            raise OutputNotReady()
        if job.acknowledged_at is None:
            now = self._clock.now()
            async with self._database.write() as tx:
                await jobs.acknowledge(tx, job_id, now=now)
                await deliveries.release_output(tx, job_id, due_at=now + DELIVERED_SECONDS)
        return await self._owned(principal, job_id)

    async def _owned(self, principal: Principal, job_id: str) -> Job:
        job = await jobs.get(self._database, job_id, principal.project_id)
        if job is None:
            raise NotFound(what="job")
        return job
