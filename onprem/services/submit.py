"""Submission: a request becomes a job, in one transaction, bound to the media that is there now."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import msgspec

from onprem.clock import Clock
from onprem.config.settings import Settings
from onprem.core.destination import destination_of, format_faults
from onprem.core.enrolment import BOUNDS
from onprem.core.fieldwise import Conversion
from onprem.core.job import JobKind
from onprem.core.openai.requests import SpeechRequest
from onprem.core.presigned import seconds_left
from onprem.core.project import ProjectSettings
from onprem.core.receipt import ArtefactKind
from onprem.core.regions import served_by
from onprem.core.requests import MEDIA_SCHEME, DiarizeRequest, JobRequest, media_key
from onprem.core.retention import output_life
from onprem.core.voice_requests import IdentifyRequest, VoiceprintRequest, consent_faults
from onprem.core.work import Work
from onprem.errors import (
    InvalidRequest,
    OperationDisabled,
    ProjectQueueFull,
    QueueFull,
    Unauthenticated,
)
from onprem.faults import Fault
from onprem.ids import new_job_id
from onprem.media.fetch import check_url
from onprem.runner.speed import Speed
from onprem.runner.wake import Wake
from onprem.services import draft, voice_drafts
from onprem.services.destinations import Destinations, plan_deliveries
from onprem.services.draft import Draft
from onprem.services.idempotency import Once
from onprem.services.keys import Principal
from onprem.services.model_choice import ModelChoice
from onprem.services.voiceprints import Voiceprints
from onprem.store import jobs, media, projects, queue
from onprem.store.artefacts import ArtefactStore
from onprem.store.database import Database, Transaction

R = TypeVar("R", bound=JobRequest)
S = TypeVar("S", bound=SpeechRequest)

_UNKNOWN_SPEED = 60.0
"""Seconds after which to try again, before anything was measured."""


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
        voiceprints: Voiceprints,
        wake: Wake,
        speed: Speed,
        clock: Clock,
        settings: Settings,
    ) -> None:
        self._database = database
        self._artefacts = artefacts
        self._models = models
        self._voiceprints = voiceprints
        self._wake = wake
        self._speed = speed
        self._clock = clock
        self._settings = settings
        self._destinations = Destinations(artefacts, settings)

    async def diarize(
        self, principal: Principal, body: Conversion[DiarizeRequest], once: Once | None = None
    ) -> Submitted:
        """As `_submit`."""

        def drafted(request: DiarizeRequest) -> Draft:
            return draft.diarize(request, self._models)

        return await self._submit(principal, JobKind.DIARIZE, body, drafted, once)

    async def identify(
        self, principal: Principal, body: Conversion[IdentifyRequest], once: Once | None = None
    ) -> Submitted:
        """As `_submit`."""

        def drafted(request: IdentifyRequest) -> Draft:
            return voice_drafts.identify(request, self._models, self._voiceprints)

        return await self._submit(principal, JobKind.IDENTIFY, body, drafted, once)

    async def voiceprint(
        self, principal: Principal, body: Conversion[VoiceprintRequest], once: Once | None = None
    ) -> Submitted:
        """As `_submit`."""

        def drafted(request: VoiceprintRequest) -> Draft:
            return voice_drafts.voiceprint(request, self._models)

        return await self._submit(principal, JobKind.VOICEPRINT, body, drafted, once)

    async def speech(self, principal: Principal, body: Conversion[S]) -> Submitted:
        """As `_submit`, for a recording that waits in memory: who has it starts the job."""
        policy = await self._policy(self._database, principal)
        if JobKind.TRANSCRIBE not in policy.operations:
            raise OperationDisabled(operation=JobKind.TRANSCRIBE.value)
        faults, work = [*body.faults, *self._misplaced(policy)], None
        warnings: list[str] = []
        if body.value is not None:
            faults += body.value.faults()
            work, more, warnings = draft.speech(body.value, self._models)
            faults += more
        if faults or work is None:
            raise InvalidRequest(faults)
        job_id = await self._insert(principal, JobKind.TRANSCRIBE, None, work, None)
        return Submitted(job_id, _warning(body, warnings))

    async def _submit(
        self,
        principal: Principal,
        kind: JobKind,
        body: Conversion[R],
        drafted: Callable[[R], Draft],
        once: Once | None,
    ) -> Submitted:
        """A job that is stored for good, or none at all; for a repeated request, the first one's.

        Raises:
            InvalidRequest: with every fault.
            OperationDisabled: the project may not run jobs of this kind.
            QueueFull: the server, or the project, has as many unfinished jobs as it may.
            StorageFull, StoreBusy: there is no job.
        """
        if once is not None and once.repeats is not None:
            told = drafted(body.value).warnings if body.value is not None else []
            return Submitted(
                once.repeats.job_id, _warning(body, [*told, *self._lasting_link(body)])
            )
        policy = await self._policy(self._database, principal)
        if kind not in policy.operations:
            raise OperationDisabled(operation=kind.value)
        faults, work = list(body.faults), None
        warnings: list[str] = []
        if "url" in body.sound:
            await self._source(self._database, principal, kind, body.sound["url"], faults)
        faults += self._destinations.faults(body.sound)
        faults += self._misplaced(policy)
        faults += self._too_long_kept(policy, body.sound)
        if kind is JobKind.VOICEPRINT and policy.consent_required:
            faults += consent_faults(body.sound)
        if body.value is not None:
            faults += [*body.value.faults(), *format_faults(body.value)]
            work, more, warnings = drafted(body.value)
            faults += more
        if faults or work is None or body.value is None:
            raise InvalidRequest(faults)
        job_id = await self._insert(principal, kind, body.value, work, once)
        self._wake.set()
        return Submitted(job_id, _warning(body, [*warnings, *self._lasting_link(body)]))

    async def _policy(
        self, database: Database | Transaction, principal: Principal
    ) -> ProjectSettings:
        project = await projects.get(database, principal.project_id)
        if project is None:  # it was erased since the key was looked at
            raise Unauthenticated()
        return project.settings

    def _misplaced(self, policy: ProjectSettings) -> list[Fault]:
        """In this process jobs run here or nowhere."""
        node = self._settings.node
        if policy.region in served_by(node.region, node.eu_regions):
            return []
        why = f"The project's jobs run in {policy.region}, and this server stands in {node.region}"
        return [Fault("region", why)]

    def _too_long_kept(self, policy: ProjectSettings, asked: dict[str, Any]) -> list[Fault]:
        """A job can shorten what holds for its project, never lengthen it."""
        holds = output_life(self._settings.retention.output, policy.output_retention)
        if (asked.get("output_retention") or 0) <= holds.seconds:
            return []
        return [Fault("outputRetention", f"May be shorter than {holds.seconds:.0f}, never longer")]

    async def _source(
        self,
        database: Database | Transaction,
        principal: Principal,
        kind: JobKind,
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
        if kind is JobKind.VOICEPRINT and version.size > BOUNDS.bytes:
            faults.append(Fault("url", str(BOUNDS.too_large())))
        return version.artefact_id

    def _lasting_link(self, body: Conversion[R]) -> list[str]:
        """A warning about a presigned URL that can be used long after the job needed it."""
        if "url" not in body.sound:
            return []
        left = seconds_left(body.sound["url"], self._clock.wall())
        needed = self._settings.limits.queue_ttl + self._settings.fetch.timeout
        if left is None or left <= needed:
            return []
        hours, enough = left // 3600, math.ceil(needed / 3600)
        return [
            f"The link in `url` stays valid for {hours:.0f} hours; {enough} are enough for a job."
        ]

    async def _room(self, tx: Transaction, project_id: str, policy: ProjectSettings) -> None:
        """Raises QueueFull, with the time that one job takes here."""
        wait = math.ceil(self._speed.needed(None) or _UNKNOWN_SPEED)
        limit, quota = self._settings.limits.queue_length, policy.queued_jobs
        if await queue.unfinished(tx) >= limit:
            raise QueueFull(limit=limit, retry_after=wait)
        if quota is not None and await queue.unfinished(tx, project_id) >= quota:
            raise ProjectQueueFull(limit=quota, retry_after=wait)

    async def _insert(
        self,
        principal: Principal,
        kind: JobKind,
        request: JobRequest | None,
        work: Work,
        once: Once | None,
    ) -> str:
        """`request` None: the recording is in memory, and no result is sent anywhere."""
        job_id, now = new_job_id(), self._clock.now()
        async with self._database.write() as tx:
            # Again, now that nothing can be uploaded, deleted or set before the job stands.
            policy = await self._policy(tx, principal)
            faults = self._misplaced(policy)
            media_id = None
            if request is not None:
                media_id = await self._source(tx, principal, kind, request.url, faults)
            if faults:
                raise InvalidRequest(faults)
            await self._room(tx, principal.project_id, policy)
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
            if request is None:
                await self._artefacts.note_worker_copy(
                    tx, project_id=principal.project_id, job_id=job_id, now=now
                )
            destination, destination_id = destination_of(request) if request else None, None
            if destination is not None:
                destination_id = await self._destinations.keep(
                    tx, destination, project_id=principal.project_id, job_id=job_id, now=now
                )
            await jobs.insert(
                tx,
                job_id=job_id,
                project_id=principal.project_id,
                kind=kind,
                region=policy.region,
                media_id=media_id,
                request_id=request_id,
                output_life=output_life(
                    self._settings.retention.output,
                    policy.output_retention,
                    request.output_retention if request else None,
                ),
                destination_id=destination_id,
                now=now,
            )
            if destination is not None:
                await plan_deliveries(tx, job_id, destination)
            if once is not None:
                await once.record(tx, job_id)
        return job_id


def _warning(body: Conversion[Any], warnings: list[str]) -> str | None:
    if body.unknown:
        warnings = [*warnings, f"Ignored fields: {', '.join(sorted(body.unknown))}."]
    return " ".join(warnings) or None
