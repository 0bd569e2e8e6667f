"""Submission binds a job to the media version that is there in that very moment."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from onprem.config.settings import Settings
from onprem.core.fieldwise import convert_fields
from onprem.core.receipt import ArtefactKind
from onprem.core.requests import DiarizeRequest
from onprem.engine.library import ModelLibrary
from onprem.errors import InvalidRequest, StorageFull
from onprem.runner.speed import Speed
from onprem.runner.wake import Wake
from onprem.services.keys import Principal
from onprem.services.media_links import LinkSigner
from onprem.services.model_choice import ModelChoice
from onprem.services.submit import Submission
from onprem.services.uploads import Uploads
from onprem.services.voiceprints import Voiceprints
from onprem.store import jobs, media
from tests.support.clock import FakeClock
from tests.support.people import owner
from tests.support.store import LATER, NOW, OpenStore

SETTINGS = Settings()


@pytest.fixture
def submission(store: OpenStore, clock: FakeClock, tmp_path: Path) -> Submission:
    library = ModelLibrary(tmp_path)
    return Submission(
        store.database,
        store.artefacts,
        ModelChoice(SETTINGS.models, library),
        Voiceprints([], library),
        Wake(),
        Speed(),
        clock,
        SETTINGS,
    )


@pytest.fixture
def uploads(store: OpenStore, clock: FakeClock) -> Uploads:
    return Uploads(store.database, store.artefacts, LinkSigner(bytes(32)), clock, SETTINGS)


async def pieces(*content: bytes) -> AsyncIterator[bytes]:
    for piece in content:
        yield piece


async def upload(store: OpenStore, content: bytes) -> bytes:
    record = await store.keep(content, ArtefactKind.MEDIA)
    async with store.database.write() as tx:
        await media.put(tx, store.project_id, "a.wav", record)
    return record


async def diarize(submission: Submission, store: OpenStore, url: str) -> jobs.Job:
    principal = Principal("key", store.project_id, frozenset())
    body = convert_fields(DiarizeRequest, {"url": url})
    job_id = (await submission.diarize(principal, body)).job_id
    job = await jobs.get(store.database, job_id, store.project_id)
    assert job is not None
    return job


async def test_a_job_is_bound_to_the_newest_version(
    store: OpenStore, submission: Submission
) -> None:
    await upload(store, b"old")
    new = await upload(store, b"new")
    assert (await diarize(submission, store, "media://a.wav")).media_id == new


async def test_a_version_that_is_replaced_during_the_submission_is_not_bound_to(
    store: OpenStore, submission: Submission, monkeypatch: pytest.MonkeyPatch
) -> None:
    await upload(store, b"old")
    newest, replaced = media.newest, []

    async def then_replaced(database, *arguments, now):  # type: ignore[no-untyped-def]
        found = await newest(database, *arguments, now=now)
        if not replaced:
            replaced.append(await upload(store, b"new"))
            await media.delete_superseded(store.database, store.artefacts, now=now)
        return found

    monkeypatch.setattr(media, "newest", then_replaced)
    job = await diarize(submission, store, "media://a.wav")
    assert [job.media_id] == replaced
    assert job.media_id is not None
    assert await store.artefacts.read(job.media_id, now=NOW) == b"new"


@pytest.mark.parametrize("url", ["media://missing", "media://a b", "ftp://h/a.wav"])
async def test_a_source_that_is_not_there_makes_no_job(
    store: OpenStore, submission: Submission, url: str
) -> None:
    with pytest.raises(InvalidRequest):
        await diarize(submission, store, url)
    assert await store.database.fetchall("SELECT * FROM job") == []


async def test_media_at_its_deadline_makes_no_job(
    store: OpenStore, submission: Submission, clock: FakeClock
) -> None:
    await upload(store, b"old")
    clock.advance(LATER - NOW)
    with pytest.raises(InvalidRequest):
        await diarize(submission, store, "media://a.wav")


async def test_a_submission_without_room_leaves_nothing(
    store: OpenStore, submission: Submission, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object, **__: object) -> None:
        raise StorageFull()

    await upload(store, b"audio")
    before = store.slots.occupants()
    monkeypatch.setattr(jobs, "insert", full)
    with pytest.raises(StorageFull):
        await diarize(submission, store, "media://a.wav")
    assert store.slots.occupants() == before
    assert await store.database.fetchall("SELECT * FROM artefact WHERE kind = 'request'") == []


async def test_an_upload_that_cannot_be_registered_leaves_nothing(
    store: OpenStore, uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object, **__: object) -> None:
        raise StorageFull()

    monkeypatch.setattr(media, "put", full)
    token = uploads.declare(owner(store), "a.wav")
    with pytest.raises(StorageFull):
        await uploads.receive(token, pieces(b"audio"), None)
    assert store.blobs.records() == set()
    assert store.slots.occupants() == {}


async def test_an_upload_stands_though_the_old_version_cannot_be_deleted(
    store: OpenStore, uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object, **__: object) -> None:
        raise StorageFull()

    monkeypatch.setattr(media, "delete_superseded", full)
    token = uploads.declare(owner(store), "a.wav")
    await uploads.receive(token, pieces(b"au", b"dio"), None)
    version = await media.newest(store.database, store.project_id, "a.wav", now=NOW)
    assert version is not None and version.size == 5
    assert await store.artefacts.read(version.artefact_id, now=NOW) == b"audio"
