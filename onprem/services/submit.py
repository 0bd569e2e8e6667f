"""Submission: a request becomes a job, in one transaction, bound to the media that is there now."""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import msgspec

from onprem.clock import Clock
from onprem.config.settings import Settings
from onprem.core.fieldwise import Conversion
from onprem.core.job import JobKind
from onprem.core.project import ProjectSettings
from onprem.core.receipt import ArtefactKind
from onprem.core.regions import served_by
from onprem.core.requests import MEDIA_SCHEME, DiarizeRequest, JobRequest, media_key
from onprem.core.work import Work
from onprem.errors import InvalidRequest, OperationDisabled
from onprem.faults import Fault
from onprem.ids import new_job_id
from onprem.media.fetch import check_url
from onprem.runner.wake import Wake
from onprem.services import draft
from onprem.services.draft import Draft
from onprem.services.keys import Principal
from onprem.services.model_choice import ModelChoice
from onprem.store import jobs, media, projects
from onprem.store.artefacts import ArtefactStore
from onprem.store.database import Database, Transaction

R = TypeVar("R", bound=JobRequest)


class Submitted(NamedTuple):
    """The answer to a submission; `warning` names what was not taken as it was meant."""

    job_id: str
    warning: str | None


class Submission:
    def __init__(
        self,
        database: Database,
        artefacts: ArtefactStore,
        models: ModelChoice,
        wake: Wake,
        clock: Clock,
        settings: Settings,
    ) -> None:
        self._database = database
        self._artefacts = artefacts
        self._models = models
        self._wake = wake
        self._clock = clock
        self._settings = settings

    async def diarize(self, principal: Principal, body: Conversion[DiarizeRequest]) -> Submitted:
        """As `_submit`."""

        def drafted(request: DiarizeRequest) -> Draft:
            return draft.diarize(request, self._models)

        return await self._submit(principal, JobKind.DIARIZE, body, drafted)

    async def _submit(
        self,
        principal: Principal,
        kind: JobKind,
        body: Conversion[R],
        drafted: Callable[[R], Draft],
    ) -> Submitted:
        """A job that is stored for good, or none at all.

        Raises:
            InvalidRequest: with every fault.
            OperationDisabled: the project may not run jobs of this kind.
            StorageFull, StoreBusy: there is no job.
        """
        policy = await self._policy(self._database, principal)
        if kind not in policy.operations:
            raise OperationDisabled(operation=kind.value)
        faults, work = list(body.faults), None
        warnings: list[str] = []
        if "url" in body.sound:
            await self._source(self._database, principal, body.sound["url"], faults)
        faults += self._misplaced(policy)
        if body.value is not None:
            faults += body.value.faults()
            work, more, warnings = drafted(body.value)
            faults += more
        if faults or work is None or body.value is None:
            raise InvalidRequest(faults)
        if body.unknown:
            warnings.append(f"Ignored fields: {', '.join(sorted(body.unknown))}.")
        job_id = await self._insert(principal, kind, body.value, work)
        self._wake.set()
        return Submitted(job_id, " ".join(warnings) or None)

    async def _policy(
        self, database: Database | Transaction, principal: Principal
    ) -> ProjectSettings:
        project = await projects.get(database, principal.project_id)
        assert project is not None, "a key's project is never removed"
        return project.settings

    def _misplaced(self, policy: ProjectSettings) -> list[Fault]:
        """In this process jobs run here or nowhere."""
        node = self._settings.node
        if policy.region in served_by(node.region, node.eu_regions):
            return []
        why = f"The project's jobs run in {policy.region}, and this server stands in {node.region}"
        return [Fault("region", why)]

    async def _source(
        self,
        database: Database | Transaction,
        principal: Principal,
        url: str,
        faults: list[Fault],
    ) -> bytes | None:
        """The media version of a media:// URL; None for a URL that is fetched when the job runs."""
        if not url.startswith(MEDIA_SCHEME):
            if problem := check_url(url):
                faults.append(Fault("url", problem))
            return None
        key = media_key(url)
        if key is None:
            faults.append(Fault("url", "Invalid media URL"))
            return None
        now = self._clock.now()
        version = await media.newest(database, principal.project_id, key, now=now)
        if version is None:
            faults.append(Fault("url", "No media was uploaded under this URL, or it has expired"))
            return None
        return version.artefact_id

    async def _insert(
        self, principal: Principal, kind: JobKind, request: JobRequest, work: Work
    ) -> str:
        job_id, now = new_job_id(), self._clock.now()
        async with self._database.write() as tx:
            # Again, now that nothing can be uploaded, deleted or set before the job stands.
            policy = await self._policy(tx, principal)
            faults = self._misplaced(policy)
            media_id = await self._source(tx, principal, request.url, faults)
            if faults:
                raise InvalidRequest(faults)
            request_id = await self._artefacts.keep(
                tx,
                ArtefactKind.REQUEST,
                msgspec.json.encode(work),
                project_id=principal.project_id,
                job_id=job_id,
                now=now,
                # It goes when the job ends. A job ends at its queue deadline at the latest, and
                # a run has a bounded number of attempts; this is the net below both.
                due_at=now + self._settings.limits.queue_ttl + self._settings.retention.media,
            )
            await jobs.insert(
                tx,
                job_id=job_id,
                project_id=principal.project_id,
                kind=kind,
                region=policy.region,
                media_id=media_id,
                request_id=request_id,
                now=now,
            )
        return job_id
