"""Outputs as files, and what their owners corrected in them."""

from typing import NamedTuple

import msgspec

from onprem.clock import Clock
from onprem.core.access import Means
from onprem.core.edits import Edits, apply
from onprem.core.edits_request import EditsRequest, fitting
from onprem.core.fieldwise import Conversion
from onprem.core.formats.kind import OutputFormat
from onprem.core.formats.render import Rendered, render
from onprem.core.job import TERMINAL, JobStatus
from onprem.core.receipt import ArtefactKind, DeletionReason
from onprem.errors import InvalidRequest, NotFound, OutputAbsent, OutputExpired, OutputNotReady
from onprem.services.access import AccessLog, Reader
from onprem.services.keys import Principal
from onprem.store import jobs
from onprem.store.artefacts import ArtefactStore
from onprem.store.database import Database, Transaction
from onprem.store.jobs import Job
from onprem.threads import in_thread


class KeptEdits(NamedTuple):
    """The edits of an output, and when they go with it, in seconds since the epoch."""

    edits: Edits
    due_at: float
    unknown: list[str] = []


class Outputs:
    """All methods raise NotFound, also for another project's job.

    Until the job has ended they raise OutputNotReady; once its output was deleted or is past its
    deadline, OutputExpired; and OutputAbsent where it ended without one. StorageFull and StoreBusy:
    nothing was kept, and what cannot be noted is not read.
    """

    def __init__(
        self, database: Database, artefacts: ArtefactStore, access: AccessLog, clock: Clock
    ) -> None:
        self._database = database
        self._artefacts = artefacts
        self._access = access
        self._clock = clock

    async def rendered(
        self, principal: Principal, job_id: str, format: OutputFormat, *, edited: bool
    ) -> Rendered:
        """The output in that format. A failed job has one in JSON only, which says why.

        Raises:
            FormatUnavailable: it does not hold what the format shows.
        """
        while True:
            job = await self._ended(principal, job_id)
            if job.status is JobStatus.FAILED and format is not OutputFormat.JSON:
                raise OutputAbsent(status=job.status.value)
            output = await self._shown(principal, job, ArtefactKind.OUTPUT)
            stored = await self._edits(principal, job) if edited else _NO_EDITS
            file = await in_thread(_render, output, stored.edits, format, job.id)
            assert job.output_id is not None, "it was read"
            records = {job.output_id: ArtefactKind.OUTPUT} | stored.record
            if await self._access.admit(_reader(principal, job), records):
                return file

    async def edits(self, principal: Principal, job_id: str) -> KeptEdits:
        """Empty ones where nothing was corrected."""
        while True:
            job = await self._correctable(principal, job_id)
            await self._shown(principal, job, ArtefactKind.EDITS)
            stored = await self._edits(principal, job)
            assert job.output_due_at is not None
            if not stored.record or await self._access.admit(
                _reader(principal, job), stored.record
            ):
                return KeptEdits(stored.edits, job.output_due_at)

    async def replace_edits(
        self, principal: Principal, job_id: str, body: Conversion[EditsRequest]
    ) -> KeptEdits:
        """Keep edits instead of those that were there; they die with the output.

        Raises:
            InvalidRequest: with each fault that keeps them from fitting the output.
            PurgeIncomplete: they are kept, and SQLite's log still has bytes of the old ones.
        """
        output = await self._output(await self._correctable(principal, job_id))
        fitted = await in_thread(fitting, body, output)
        if fitted.value is None:
            raise InvalidRequest(fitted.faults)
        due_at = await self._keep(principal, job_id, fitted.value)
        return KeptEdits(fitted.value, due_at, fitted.unknown)

    async def drop_edits(self, principal: Principal, job_id: str) -> None:
        """The output is again what it was. Raises PurgeIncomplete as `replace_edits`."""
        await self._correctable(principal, job_id)
        await self._keep(principal, job_id, None)

    async def _keep(self, principal: Principal, job_id: str, edits: Edits | None) -> float:
        """In one transaction with the deletion of what they replace. Returns their deadline.

        Raises PurgeIncomplete: it is done, and SQLite's log still has bytes of what they replace.
        """
        now = self._clock.now()
        async with self._database.write() as tx:
            # Read again: since it was looked at, the output or the job may have been deleted.
            job = await self._owned(principal, job_id, tx)
            due_at = None
            if job.output_id is not None:
                due_at = await self._artefacts.deadline(tx, job.output_id, now=now)
            if due_at is None:
                raise OutputExpired()
            record, reason = None, DeletionReason.REQUESTED
            if edits is not None:
                reason = DeletionReason.REPLACED
                record = await self._artefacts.keep(
                    tx,
                    ArtefactKind.EDITS,
                    msgspec.json.encode(edits),
                    project_id=job.project_id,
                    job_id=job.id,
                    now=now,
                    due_at=due_at,
                )
            await jobs.set_edits(tx, job.id, record)
            if job.edits_id is not None:
                await self._artefacts.delete_within(tx, job.edits_id, reason, now=now)
        if job.edits_id is not None:
            await self._artefacts.empty_log()
        return due_at

    async def _ended(self, principal: Principal, job_id: str) -> Job:
        job = await self._owned(principal, job_id)
        if job.status not in TERMINAL:
            raise OutputNotReady()
        if job.status is JobStatus.CANCELED:
            raise OutputAbsent(status=job.status.value)
        return job

    async def _correctable(self, principal: Principal, job_id: str) -> Job:
        job = await self._ended(principal, job_id)
        if job.status is not JobStatus.SUCCEEDED:
            raise OutputAbsent(status=job.status.value)
        return job

    async def _owned(self, principal: Principal, job_id: str, tx: Transaction | None = None) -> Job:
        job = await jobs.get(tx or self._database, job_id, principal.project_id)
        if job is None:
            raise NotFound(what="job")
        return job

    async def _output(self, job: Job) -> bytes:
        output = None
        if job.output_id is not None:
            output = await self._artefacts.read(job.output_id, now=self._clock.now())
        if output is None:
            raise OutputExpired()
        return output

    async def _shown(self, principal: Principal, job: Job, kind: ArtefactKind) -> bytes:
        """The output, for somebody who asked for a `kind` of it; who comes too late is noted."""
        try:
            return await self._output(job)
        except OutputExpired:
            record = job.edits_id if kind is ArtefactKind.EDITS else job.output_id
            await self._access.refused(_reader(principal, job), kind, record)
            raise

    async def _edits(self, principal: Principal, job: Job) -> "_StoredEdits":
        while job.edits_id is not None:
            kept = await self._artefacts.read(job.edits_id, now=self._clock.now())
            if kept is not None:
                edits = msgspec.json.decode(kept, type=Edits)
                return _StoredEdits(edits, {job.edits_id: ArtefactKind.EDITS})
            again = await self._owned(principal, job.id)
            if again.edits_id == job.edits_id:  # a crash broke off while they were replaced
                break
            job = again
        return _NO_EDITS


class _StoredEdits(NamedTuple):
    """Edits, and the artefact that they came from, if there is one."""

    edits: Edits
    record: dict[bytes, ArtefactKind]


_NO_EDITS = _StoredEdits(Edits(), {})


def _reader(principal: Principal, job: Job) -> Reader:
    return Reader(principal.actor, Means.API, job.project_id, job.id)


def _render(output: bytes, edits: Edits, format: OutputFormat, job_id: str) -> Rendered:
    return render(apply(output, edits), format, job_id=job_id)
