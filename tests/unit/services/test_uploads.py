"""An upload ends before its link does, or leaves nothing."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from onprem.config.settings import Settings
from onprem.errors import UploadLinkInvalid
from onprem.services import upload_links
from onprem.services.upload_links import LinkSigner
from onprem.services.uploads import Uploads
from tests.support.clock import FakeClock
from tests.support.store import OpenStore


async def trickle() -> AsyncIterator[bytes]:
    while True:
        yield b"x"
        await asyncio.sleep(0.01)


async def test_an_upload_that_never_ends_ends_with_its_link(
    store: OpenStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_links, "LIFETIME", 0.3)
    uploads = Uploads(store.database, store.artefacts, LinkSigner(bytes(32)), clock, Settings())
    token = uploads.declare(store.project_id, "a.wav")
    async with asyncio.timeout(10):
        with pytest.raises(UploadLinkInvalid):
            await uploads.receive(token, trickle(), None)
    assert store.blobs.records() == set()
    assert store.slots.occupants() == {}
