"""Submission: a request becomes a job, in one transaction, bound to the media that is there now."""

from typing import NamedTuple

import msgspec

from onprem.clock import Clock
from onprem.config.settings import Settings
from onprem.core.fieldwise import Conversion
from onprem.core.receipt import ArtefactKind
from onprem.core.requests import MEDIA_SCHEME, DiarizeRequest, media_key
from onprem.core.work import Work
from onprem.errors import InvalidRequest
from onprem.faults import Fault
from onprem.ids import new_job_id
from onprem.media.fetch import check_url
from onprem.runner.wake import Wake
from onprem.services.keys import Principal
from onprem.services.model_choice import Choice, ModelChoice
from onprem.store import jobs, media
from onprem.store.artefacts import ArtefactStore
from onprem.store.database import Database, Transaction


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
        """Raises InvalidRequest with every fault; StorageFull, StoreBusy: there is no job."""
        faults = list(body.faults)
        request = body.value
        choices: list[Choice] = []
        if "url" in body.sound:
            await self._source(self._database, principal, body.sound["url"], faults)
        if request is not None:
            faults += request.faults()
            choices = self._models_for(request, faults)
        if faults or request is None:
            raise InvalidRequest(faults)
        warnings = [choice.warning for choice in choices if choice.warning]
        if body.unknown:
            warnings.append(f"Ignored fields: {', '.join(sorted(body.unknown))}.")
        work = Work(
            request=request,
            diarization_model=choices[0].model,
            transcription_model=choices[1].model if request.transcription else None,
        )
        job_id = await self._insert(principal, work)
        self._wake.set()
        return Submitted(job_id, " ".join(warnings) or None)

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

    def _models_for(self, request: DiarizeRequest, faults: list[Fault]) -> list[Choice]:
        chosen = [self._models.diarization(request.model)]
        if request.transcription:
            chosen.append(self._models.transcription(request.transcription_config.model))
        faults += [choice for choice in chosen if isinstance(choice, Fault)]
        return [choice for choice in chosen if isinstance(choice, Choice)]

    async def _insert(self, principal: Principal, work: Work) -> str:
        job_id, now = new_job_id(), self._clock.now()
        async with self._database.write() as tx:
            # Again, now that nothing can be uploaded or deleted before the job is bound to it.
            faults: list[Fault] = []
            media_id = await self._source(tx, principal, work.request.url, faults)
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
                kind="diarize",
                region=self._settings.node.region,
                media_id=media_id,
                request_id=request_id,
                now=now,
            )
        return job_id
