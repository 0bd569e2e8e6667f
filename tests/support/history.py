"""An installation without HTTP: what happens to its store, step by step, in an order of choice."""

import random
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from onprem.config.settings import Settings
from onprem.core.delivery import DeliveryKind
from onprem.core.output import DiarizationOutput
from onprem.core.purge import Selection, What
from onprem.core.receipt import ArtefactKind, DeletionReason
from onprem.core.retention import output_life
from onprem.errors import RestoredFromBackup
from onprem.ids import new_delivery_id, new_record_id
from onprem.runner.finish import Finisher, Outcome
from onprem.runner.recovery import recover_jobs
from onprem.services.keys import Keys, Scope
from onprem.services.projects import Projects
from onprem.services.sweep import Sweep
from onprem.store import deliveries, jobs, media, projects, queue
from onprem.store.artefacts import ArtefactStore, SealedBlob, label
from onprem.store.database import Database
from onprem.store.jobs import Job
from onprem.store.queue import Places
from onprem.store.seal import new_key, seal
from onprem.wiring import running_store
from tests.support.clock import FakeClock
from tests.support.people import OPERATOR
from tests.support.purging import purge_of

STEPS = (
    *("submit", "submit", "claim", "succeed", "fail", "upload", "edit", "delete_job"),
    *("sweep", "hours", "create_key", "revoke_key", "create_project", "erase_project"),
)


class History:
    """Each step does something sensible now, or nothing where there is nothing to do it to."""

    def __init__(
        self,
        settings: Settings,
        clock: FakeClock,
        database: Database,
        artefacts: ArtefactStore,
        luck: random.Random,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.database = database
        self.artefacts = artefacts
        self.finisher = Finisher(database, artefacts, clock)
        self._luck = luck

    async def do(self, step: str) -> None:
        await getattr(self, step)()

    async def submit(self) -> str:
        """With a webhook, half of the time."""
        project, job_id = await self._project(), str(uuid.uuid4())
        now, hooked = self.clock.now(), self._luck.random() < 0.5
        destination = None
        async with self.database.write() as tx:

            async def keep(kind: ArtefactKind) -> bytes:
                return await self.artefacts.keep(
                    *(tx, kind, b"{}"), project_id=project, job_id=job_id, now=now, due_at=now + 1e7
                )

            request = await keep(ArtefactKind.REQUEST)
            if hooked:
                destination = await keep(ArtefactKind.DESTINATION)
            await jobs.insert(
                tx,
                job_id=job_id,
                project_id=project,
                kind="diarize",
                region="default",
                media_id=await self._some_media(project),
                request_id=request,
                output_life=output_life(24 * 3600),
                now=now,
                destination_id=destination,
            )
            if hooked:
                kind = DeliveryKind.WEBHOOK
                await deliveries.plan(tx, new_delivery_id(), job_id=job_id, kind=kind)
        return job_id

    async def claim(self) -> None:
        async with self.database.write() as tx:
            job = await queue.claim_next(
                tx, regions=["default"], places=Places(1e9, True, True), now=self.clock.now()
            )
            if job is not None:
                await self.artefacts.note_worker_copy(
                    tx, project_id=job.project_id, job_id=job.id, now=self.clock.now()
                )

    async def succeed(self) -> None:
        await self._end(Outcome.succeeded(DiarizationOutput([]), {}))

    async def fail(self) -> None:
        await self._end(Outcome.failed(RestoredFromBackup()))

    async def _end(self, outcome: Outcome) -> None:
        for job in (await jobs.running(self.database))[:1]:
            copies = await self.artefacts.worker_copies(job.id)
            await self.finisher.end(job, outcome, copies, DeletionReason.JOB_ENDED)

    async def upload(self) -> None:
        project, record, key = await self._project(), new_record_id(), new_key()
        plaintext, now = b"audio" * self._luck.randrange(40_000), self.clock.now()
        with self.artefacts.new_blob(record) as blob:
            blob.write(seal(key, label(ArtefactKind.MEDIA, record), plaintext))
            blob.flush()
            async with self.database.write() as tx:
                await self.artefacts.adopt(
                    tx,
                    SealedBlob(record, key, len(plaintext)),
                    ArtefactKind.MEDIA,
                    project_id=project,
                    now=now,
                    due_at=now + 48 * 3600,
                )
                await media.put(tx, project, f"{self._luck.randrange(2)}.wav", record)
            blob.keep()

    async def edit(self) -> None:
        for job in await self._succeeded():
            due_at = job.output_due_at or 0.0
            if job.edits_id is not None or due_at <= self.clock.now():
                continue
            async with self.database.write() as tx:
                record = await self.artefacts.keep(
                    tx,
                    ArtefactKind.EDITS,
                    b"{}",
                    project_id=job.project_id,
                    job_id=job.id,
                    now=self.clock.now(),
                    due_at=due_at,
                )
                await jobs.set_edits(tx, job.id, record)
            return

    async def delete_job(self) -> None:
        for job in (await self._succeeded())[:1]:
            now = self.clock.now()
            async with self.database.write() as tx:
                await jobs.mark_deleted(tx, job.id, now=now)
            stored = await jobs.stored_of_deleted(self.database, job.id)
            await self.artefacts.delete(stored, DeletionReason.REQUESTED, now=now)

    async def sweep(self) -> None:
        await Sweep(self.database, self.artefacts, self.clock, self.settings).run()

    async def hours(self) -> None:
        """Pass, and then a sweep keeps what was promised."""
        self.clock.advance(self._luck.choice([1, 9, 30]) * 3600)
        await self.sweep()

    async def create_key(self) -> None:
        keys = Keys(self.database, self.clock)
        await keys.issue(await self._project(), "one", [Scope.JOBS_READ], actor=OPERATOR)

    async def revoke_key(self) -> str | None:
        keys = Keys(self.database, self.clock)
        for key in await keys.every():
            if key.revoked_at is None:
                await keys.revoke(key.id, actor=OPERATOR)
                return key.id
        return None

    async def create_project(self) -> str:
        name = f"project {self._luck.randrange(10**9)}"
        return (await Projects(self.database, self.clock).create(name, actor=OPERATOR)).id

    async def erase_project(self) -> str | None:
        """Never the last one."""
        known = await projects.every(self.database)
        if len(known) < 2:
            return None
        purge = purge_of(self)  # type: ignore[arg-type]
        plan = await purge.plan(Selection(What.PROJECT, known[-1].id))
        (await purge.carry_out(plan, OPERATOR, wait=0.0)).check()
        return known[-1].id

    async def _project(self) -> str:
        return self._luck.choice(await projects.every(self.database)).id

    async def _some_media(self, project_id: str) -> bytes | None:
        version = await media.newest(
            self.database, project_id, f"{self._luck.randrange(2)}.wav", now=self.clock.now()
        )
        return None if version is None else version.artefact_id

    async def _succeeded(self) -> list[Job]:
        found = await jobs.newest(self.database, jobs.Selection(None, "succeeded"), limit=100)
        return [job for job in found if job.deleted_at is None]


@asynccontextmanager
async def history(
    settings: Settings, clock: FakeClock, luck: random.Random | None = None
) -> AsyncIterator[History]:
    """From a start to a stop, as a server has them; what it had in work is left to the next."""
    async with running_store(settings, clock) as (database, artefacts, _):
        going = History(settings, clock, database, artefacts, luck or random.Random(0))
        await going.sweep()
        await recover_jobs(database, artefacts, going.finisher, clock, allowed_attempts=3)
        yield going
