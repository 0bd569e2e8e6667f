"""Deleting media on request: done with a receipt, or not done and asked for again."""

from collections.abc import AsyncIterator

import pytest

from onprem.config.settings import Settings
from onprem.core.receipt import DeletionReason
from onprem.errors import MediaGone, NotFound, PurgeIncomplete, StorageFull
from onprem.services.access import AccessLog
from onprem.services.downloads import Downloads
from onprem.services.media_library import MediaLibrary
from onprem.services.media_links import LinkSigner
from onprem.services.uploads import Uploads
from onprem.store import ledger, media
from onprem.store.blobs import BlobFolder
from tests.support.clock import FakeClock
from tests.support.people import owner
from tests.support.store import NOW, OpenStore, reader_of

URL = "media://a.wav"
SIGNER = LinkSigner(bytes(32))


@pytest.fixture
def library(store: OpenStore, clock: FakeClock) -> MediaLibrary:
    return MediaLibrary(store.database, store.artefacts, clock)


async def upload(store: OpenStore, clock: FakeClock, content: bytes = b"audio") -> bytes:
    async def pieces() -> AsyncIterator[bytes]:
        yield content

    uploads = Uploads(store.database, store.artefacts, SIGNER, clock, Settings())
    await uploads.receive(uploads.declare(owner(store), "a.wav"), pieces(), None)
    version = await media.newest(store.database, store.project_id, "a.wav", now=NOW)
    assert version is not None
    return version.artefact_id


async def test_what_resists_is_still_there_and_goes_when_it_is_asked_for_again(
    store: OpenStore, clock: FakeClock, library: MediaLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resist(*_: object) -> bool:
        raise OSError("the disk")

    record = await upload(store, clock)
    with monkeypatch.context() as patched:
        patched.setattr(BlobFolder, "remove", resist)
        with pytest.raises(OSError, match="the disk"):
            await library.delete(store.project_id, URL)
    assert [each.artefact_id for each in (await library.page(store.project_id, limit=9)).versions]
    assert (await library.receipts(store.project_id, limit=9)).receipts == []

    done = await library.delete(store.project_id, URL)
    assert done.receipt is not None and done.receipt.artefact_id == record.hex()
    assert (await library.receipts(store.project_id, limit=9)).receipts == [done.receipt]
    assert store.blobs.records() == set()
    assert store.slots.occupants() == {}
    with pytest.raises(NotFound):
        await library.delete(store.project_id, URL)


async def test_on_a_full_disk_the_key_is_overwritten_nevertheless(
    store: OpenStore, clock: FakeClock, library: MediaLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise StorageFull()

    record = await upload(store, clock)
    with monkeypatch.context() as patched:
        patched.setattr(ledger, "append_receipt", full)
        with pytest.raises(StorageFull):
            await library.delete(store.project_id, URL)
    assert record not in store.slots.occupants().values()
    access = AccessLog(store.database, store.artefacts, clock)
    downloads = Downloads(store.database, store.artefacts, access, SIGNER, clock)
    download = await downloads.find(await downloads.declare(owner(store), URL))
    with pytest.raises(MediaGone):
        await anext((await downloads.begin(download, 0, 5)).pieces)
    assert (await library.delete(store.project_id, URL)).receipt is not None


async def test_a_withdrawn_version_goes_at_its_deadline_though_a_job_is_bound_to_it(
    store: OpenStore, clock: FakeClock, library: MediaLibrary
) -> None:
    record = await upload(store, clock)
    await store.submit("job", record)
    assert (await library.delete(store.project_id, URL)).receipt is None
    assert await media.delete_superseded(store.database, store.artefacts, now=NOW) == []
    later = NOW + Settings().retention.media
    assert record in [each.id for each in await store.artefacts.due(later)]
    (receipt,) = await store.artefacts.delete([record], DeletionReason.DEADLINE, now=later)
    assert receipt.reason is DeletionReason.DEADLINE
    assert await store.database.fetchall("SELECT * FROM withdrawn_media") == []


async def test_a_reader_of_the_log_keeps_it_from_being_called_done(
    store: OpenStore, clock: FakeClock, library: MediaLibrary
) -> None:
    await store.database._writer.execute("PRAGMA busy_timeout = 50")
    await upload(store, clock)
    with reader_of(store.database), pytest.raises(PurgeIncomplete):
        await library.delete(store.project_id, URL)
    assert (await library.receipts(store.project_id, limit=9)).receipts != []
    verification = store.artefacts.verification
    assert (verification.count(), await verification.unresolved(store.database)) == (1, 1)
    await store.artefacts.empty_log()
    assert await verification.unresolved(store.database) == 0
