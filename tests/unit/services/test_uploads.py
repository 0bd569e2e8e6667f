"""An upload ends before its link does, or leaves nothing."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from onprem.config.settings import Settings
from onprem.errors import MediaQuotaExceeded, UploadLinkInvalid
from onprem.services import media_links
from onprem.services.media_links import LinkSigner
from onprem.services.projects import Projects
from onprem.services.uploads import Uploads
from tests.support.clock import FakeClock
from tests.support.people import OPERATOR, owner
from tests.support.store import OpenStore


async def trickle() -> AsyncIterator[bytes]:
    while True:
        yield b"x"
        await asyncio.sleep(0.01)


async def test_an_upload_that_never_ends_ends_with_its_link(
    store: OpenStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media_links, "LIFETIME", 0.3)
    uploads = Uploads(store.database, store.artefacts, LinkSigner(bytes(32)), clock, Settings())
    token = uploads.declare(owner(store), "a.wav")
    async with asyncio.timeout(10):
        with pytest.raises(UploadLinkInvalid):
            await uploads.receive(token, trickle(), None)
    assert store.blobs.records() == set()
    assert store.slots.occupants() == {}


async def test_an_upload_is_not_read_beyond_its_projects_quota(
    store: OpenStore, clock: FakeClock
) -> None:
    await Projects(store.database, clock).change("default", {"mediaBytes": 1000}, actor=OPERATOR)
    uploads = Uploads(store.database, store.artefacts, LinkSigner(bytes(32)), clock, Settings())
    taken = []

    async def endless() -> AsyncIterator[bytes]:
        while True:
            taken.append(1)
            yield bytes(400)

    with pytest.raises(MediaQuotaExceeded):
        await uploads.receive(uploads.declare(owner(store), "a.wav"), endless(), None)
    assert len(taken) == 3
    assert store.blobs.records() == set()
    assert store.slots.occupants() == {}
