"""Makes plans of purges: what a selection reaches, and why each of it goes."""

from collections.abc import Iterable

from onprem.clock import Clock
from onprem.core.purge import WHILE_IT_RUNS, Item, Plan, ProjectRecords, Selection, What, why
from onprem.core.receipt import ArtefactKind, DeletionReason
from onprem.core.requests import MEDIA_SCHEME
from onprem.errors import NotFound, PurgeRefused
from onprem.faults import Fault
from onprem.services.projects import find
from onprem.store import deliveries, erasure, jobs, media
from onprem.store.artefacts import Artefact, ArtefactStore
from onprem.store.database import Database
from onprem.store.erasure import Reach


class Planner:
    """Reads only: what a plan says is done by whoever carries it out."""

    def __init__(self, database: Database, artefacts: ArtefactStore, clock: Clock) -> None:
        self._database = database
        self._artefacts = artefacts
        self._clock = clock

    async def plan(self, selection: Selection) -> Plan:
        """Raises NotFound, PurgeRefused: what is named does not exist, or names nothing."""
        match selection.what:
            case What.DUE:
                return await self.due()
            case What.JOB:
                if await jobs.project_of(self._database, selection.name) is None:
                    raise NotFound(what="job")
                return await self._whole(selection, Reach(job_id=selection.name))
            case What.MEDIA:
                return await self._media(selection)
            case What.PROJECT:
                return await self._project(selection)
            case What.ALL:
                return await self._whole(selection, Reach())

    async def due(self) -> Plan:
        """What the sweep deletes now: what is due first, for that cannot wait."""
        now, database = self._clock.now(), self._database
        due = [(each.id, DeletionReason.DEADLINE) for each in await self._artefacts.due(now)]
        found = [
            *due,
            *_with(DeletionReason.PROJECT_ERASED, await erasure.of_erased_projects(database)),
            *_with(DeletionReason.REQUESTED, await jobs.stored_of_deleted(database)),
            *_with(DeletionReason.JOB_ENDED, await jobs.stale_requests(database)),
            *_with(DeletionReason.DELIVERIES_ENDED, await deliveries.idle_destinations(database)),
            *await media.superseded(database),
        ]
        reasons: dict[bytes, DeletionReason] = {}
        for record, reason in found:
            reasons.setdefault(record, reason)
        live = await erasure.artefacts_named(database, list(reasons))
        items = [_item(each, reasons[each.id], What.DUE) for each in live]
        return Plan(Selection(What.DUE), now, items)

    async def _whole(
        self,
        selection: Selection,
        reach: Reach,
        reason: DeletionReason = DeletionReason.PURGED,
        project: ProjectRecords | None = None,
    ) -> Plan:
        """All that is stored of jobs and media; the jobs vanish from all reads."""
        live = await erasure.artefacts(self._database, reach)
        return Plan(
            selection,
            self._clock.now(),
            [_item(each, reason, selection.what) for each in live if not _in_memory(each)],
            [_ending(each) for each in live if _in_memory(each)],
            [job.id for job in await erasure.unfinished(self._database, reach)],
            await erasure.shown_jobs(self._database, reach),
            project,
        )

    async def _media(self, selection: Selection) -> Plan:
        """The bytes of an upload, and jobs that would still read them. Outputs stay."""
        named, slash, key = selection.name.partition("/")
        if not slash:
            why = "Expected PROJECT/KEY, such as sales/calls/monday.wav"
            raise PurgeRefused([Fault("media", why)])
        project = await find(self._database, named)
        key = key.removeprefix(MEDIA_SCHEME)
        version = await erasure.media_version(self._database, project.id, key)
        if version is None:
            raise NotFound(what="media")
        bound = await erasure.unfinished_with(self._database, version.id)
        requests = [job.request_id for job in bound if job.request_id is not None]
        items = [_item(version, DeletionReason.PURGED, What.MEDIA)]
        for request in await erasure.artefacts_named(self._database, requests):
            items.append(_item(request, DeletionReason.JOB_ENDED, What.MEDIA))
        copies = [copy for job in bound for copy in await self._artefacts.worker_copies(job.id)]
        return Plan(
            selection,
            self._clock.now(),
            items,
            [_ending(each) for each in await erasure.artefacts_named(self._database, copies)],
            [job.id for job in bound],
        )

    async def _project(self, selection: Selection) -> Plan:
        """Also one that was erased before, by its id: something may be left of it."""
        found = await erasure.candidate(self._database, selection.name)
        if found is None:
            raise NotFound(what="project")
        records = await erasure.records(self._database, found.id)
        reach = Reach(project_id=found.id)
        return await self._whole(selection, reach, DeletionReason.PROJECT_ERASED, records)


def _with(
    reason: DeletionReason, records: Iterable[bytes]
) -> Iterable[tuple[bytes, DeletionReason]]:
    return [(record, reason) for record in records]


def _in_memory(artefact: Artefact) -> bool:
    return artefact.kind is ArtefactKind.WORKER_COPY


def _item(artefact: Artefact, reason: DeletionReason, what: What) -> Item:
    return Item(
        artefact_id=artefact.id.hex(),
        kind=artefact.kind,
        project_id=artefact.project_id,
        size=artefact.size,
        due_at=artefact.due_at,
        reason=reason,
        why=why(reason, what),
        job_id=artefact.job_id,
    )


def _ending(copy: Artefact) -> Item:
    """A worker copy: its receipt says that its job ended."""
    return Item(
        artefact_id=copy.id.hex(),
        kind=copy.kind,
        project_id=copy.project_id,
        size=copy.size,
        due_at=copy.due_at,
        reason=DeletionReason.JOB_ENDED,
        why=WHILE_IT_RUNS,
        job_id=copy.job_id,
    )
