"""Sharing: the only way from a record to a bundle, by explicit consent, noted in the ledger.

The entry is written before the first byte of the bundle: there may be an entry whose bundle could
not be written, but never a bundle without an entry. Nothing here sends it anywhere.
"""

import hashlib
import secrets
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from onprem import __version__
from onprem.clock import Clock
from onprem.core.access import Access, Means
from onprem.core.act import Act, ActKind
from onprem.core.expected import Spoken, Unusable, spoken_in
from onprem.core.job import TERMINAL, JobStatus
from onprem.core.receipt import ArtefactKind
from onprem.core.share import MANIFEST, Manifest, Part, PartSource, Scores, act_details
from onprem.engine.scoring import score_diarization, score_transcription
from onprem.errors import NotFound, OutputAbsent, OutputNotReady, ShareRefused
from onprem.faults import Fault
from onprem.services.share_files import Given, ShareRequest, chunks_of, read_given
from onprem.store import access_log, jobs, ledger, media
from onprem.store.artefacts import ArtefactStore
from onprem.store.bundle import Member, write_bundle
from onprem.store.database import Database
from onprem.store.jobs import Job
from onprem.threads import in_thread

_NO_AUDIO = "No copy is kept of a recording that did not come as media: give it with --audio."
_AUDIO_GONE = "The recording is not stored any more: give it with --audio."
_OUTPUT_GONE = "The output is not stored any more: give the copy that its owner kept with --output."


class Sharing:
    """`actor`: who shares, as the ledger names people. `kept`: the store's folders."""

    def __init__(
        self,
        database: Database,
        artefacts: ArtefactStore,
        clock: Clock,
        *,
        actor: str,
        kept: Sequence[Path],
    ) -> None:
        self._database = database
        self._artefacts = artefacts
        self._clock = clock
        self._actor = actor
        self._kept = kept

    async def create(self, request: ShareRequest) -> Manifest:
        """Write the bundle. Returns what it says of itself.

        Raises:
            NotFound, OutputNotReady, OutputAbsent: there is no such job, or it has no output.
            ShareRefused: with each fault.
            BundleUnwritten: the ledger has its entry, and there is no bundle.
            StorageFull, StoreBusy: reading could not be noted, so nothing was handed out.
        """
        job = await self._job(request.job_id)
        given = await self._given(request, job)
        output = given.output or await self._stored_output(job)
        scores = await in_thread(_scores, given.spoken, output, job.duration or 0.0)
        parts = [
            await self._audio_part(request, job),
            _part("output.json", [output], given.output is not None),
            _part(given.expected_name, [given.expected], True),
        ]
        made_at = int(self._clock.now())
        manifest = Manifest(
            created_at=datetime.fromtimestamp(made_at, UTC),
            onprem=__version__,
            job_id=job.id,
            job_kind=job.kind,
            engine=job.engine,
            consent=given.consent,
            consent_sha256=given.consent_sha256,
            parts=parts,
            scores=scores,
            nonce=secrets.token_hex(32),
        )
        await self._note(manifest, job, list(given.recipients))
        contents = [await self._audio(request, job), [output], [given.expected]]
        head = manifest.encoded()
        members = [Member(MANIFEST, len(head), hashlib.sha256(head).hexdigest(), [head])]
        members += [
            Member(part.name, part.bytes, part.sha256, chunks)
            for part, chunks in zip(parts, contents, strict=True)
        ]
        keys = list(given.recipients.values())
        await in_thread(write_bundle, request.to, members, keys, made_at)
        return manifest

    async def _job(self, job_id: str) -> Job:
        owner = await jobs.project_of(self._database, job_id)
        job = None
        if owner is not None:
            job = await jobs.get(self._database, job_id, owner, deleted=True)
        if job is None:
            raise NotFound(what="job")
        if job.status not in TERMINAL:
            raise OutputNotReady()
        if job.status is not JobStatus.SUCCEEDED:
            raise OutputAbsent(status=job.status.value)
        return job

    async def _given(self, request: ShareRequest, job: Job) -> Given:
        # A consent ends by the calendar: where the two clocks differ, the later one counts.
        now = max(self._clock.now(), self._clock.wall())

        def read() -> tuple[Given | None, list[Fault]]:
            return read_given(request, now=now, kept=self._kept)

        given, faults = await in_thread(read)
        faults += await self._missing(request, job)
        if faults or given is None:
            raise ShareRefused(faults)
        return given

    async def _missing(self, request: ShareRequest, job: Job) -> list[Fault]:
        """The options that must be given because the record is not there."""
        faults = []
        if request.audio is None:
            if job.media_id is None:
                faults.append(Fault("--audio", _NO_AUDIO))
            elif not await self._offered(job.media_id):
                faults.append(Fault("--audio", _AUDIO_GONE))
        if request.output is None:
            stored = None if job.deleted_at is not None else job.output_id
            if stored is None or not await self._lives(stored):
                faults.append(Fault("--output", _OUTPUT_GONE))
        return faults

    async def _offered(self, media_id: bytes) -> bool:
        """Media that its owner deleted is not shared, even if another job still reads it."""
        if await media.withdrawn(self._database, media_id):
            return False
        return await self._lives(media_id)

    async def _lives(self, record: bytes) -> bool:
        now = self._clock.now()
        return await self._artefacts.deadline(self._database, record, now=now) is not None

    async def _stored_output(self, job: Job) -> bytes:
        assert job.output_id is not None, "looked at above"
        await self._note_read(job, ArtefactKind.OUTPUT, job.output_id)
        output = await self._artefacts.read(job.output_id, now=self._clock.now())
        if output is None:
            raise ShareRefused([Fault("--output", _OUTPUT_GONE)])
        return output

    async def _audio_part(self, request: ShareRequest, job: Job) -> Part:
        if request.audio is None:
            assert job.media_id is not None, "looked at above"
            await self._note_read(job, ArtefactKind.MEDIA, job.media_id)
        try:
            chunks = await self._audio(request, job)
            return await in_thread(_part, "audio", chunks, request.audio is not None)
        except FileNotFoundError:
            raise ShareRefused([Fault("--audio", _AUDIO_GONE)]) from None

    async def _audio(self, request: ShareRequest, job: Job) -> Iterator[bytes]:
        if request.audio is not None:
            return chunks_of(request.audio)
        assert job.media_id is not None, "looked at above"
        segments = await self._artefacts.open(job.media_id, now=self._clock.now())
        if segments is None:
            raise ShareRefused([Fault("--audio", _AUDIO_GONE)])
        return segments

    async def _note_read(self, job: Job, kind: ArtefactKind, record: bytes) -> None:
        access = Access(self._actor, kind, Means.SHARE, job.project_id, record.hex())
        await access_log.note(self._database, self._clock, access, job_id=job.id)

    async def _note(self, manifest: Manifest, job: Job, recipients: list[str]) -> None:
        details = act_details(manifest, recipients)
        act = Act(ActKind.SHARED, self._actor, job.project_id, job.id, details)
        async with self._database.write() as tx:
            await ledger.append_act(tx, self._clock.stamp(), act, job_id=job.id)


def _scores(expected: Spoken, output: bytes, duration: float) -> Scores:
    try:
        produced = spoken_in(output)
    except Unusable:
        raise ShareRefused([Fault("--job", "Its output has nothing to compare.")]) from None
    not_scored, diarization, transcription = dict[str, str](), None, None
    if expected.turns is None or produced.turns is None:
        not_scored["diarization"] = _lacking("diarization", expected.turns is None)
    else:
        diarization = score_diarization(expected.turns, produced.turns, duration=duration)
    if expected.text is None or produced.text is None:
        not_scored["transcription"] = _lacking("transcription", expected.text is None)
    else:
        transcription = score_transcription(expected.text, produced.text)
    if len(not_scored) == 2:
        raise ShareRefused([Fault("--expected", " ".join(not_scored.values()))])
    return Scores(diarization, transcription, not_scored)


def _lacking(what: str, expected: bool) -> str:
    return f"The {'expected' if expected else 'produced'} output has no {what}."


def _part(name: str, chunks: Iterable[bytes], given: bool) -> Part:
    """Reads all of it."""
    size, digest = 0, hashlib.sha256()
    for chunk in chunks:
        size += len(chunk)
        digest.update(chunk)
    source = PartSource.FILE if given else PartSource.STORED
    return Part(name, size, digest.hexdigest(), source)
