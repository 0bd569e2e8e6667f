"""Uploads: raw bytes stream into ciphertext; what does not arrive whole leaves nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

from onprem.clock import Clock
from onprem.config.settings import Settings
from onprem.core.project import ProjectSettings
from onprem.core.receipt import ArtefactKind
from onprem.core.retention import media_life
from onprem.errors import (
    MediaQuotaExceeded,
    MediaTooLarge,
    OnpremError,
    UploadLinkInvalid,
    UploadLinkUsed,
)
from onprem.ids import new_record_id
from onprem.services.keys import Principal
from onprem.services.media_links import LinkSigner, MediaLink
from onprem.store import media, projects
from onprem.store.artefacts import ArtefactStore, SealedBlob, label
from onprem.store.blobs import BlobWriter
from onprem.store.database import Database, Transaction
from onprem.store.seal import Sealer, new_key
from onprem.threads import in_thread


class Uploads:
    def __init__(
        self,
        database: Database,
        artefacts: ArtefactStore,
        signer: LinkSigner,
        clock: Clock,
        settings: Settings,
    ) -> None:
        self._database = database
        self._artefacts = artefacts
        self._signer = signer
        self._clock = clock
        self._settings = settings

    def declare(self, principal: Principal, key: str) -> str:
        """A token for one upload of `key`."""
        now = self._clock.now()
        return self._signer.sign("PUT", principal.project_id, key, key_id=principal.key_id, now=now)

    async def receive(self, token: str, body: AsyncIterator[bytes], declared: int | None) -> None:
        """Store `body` as the newest version of the link's key.

        `declared` is the Content-Length, if there was one. The deadline counts from the end of
        the upload, which must come before the link expires.

        Raises:
            UploadLinkInvalid, UploadLinkUsed: the link does not serve, or no more.
            MediaTooLarge, MediaQuotaExceeded, StorageFull: nothing was kept.
        """
        now = self._clock.now()
        link = self._signer.open("PUT", token, now=now)
        if link is None:
            raise UploadLinkInvalid()
        if await media.link_spent(self._database, link.nonce):
            raise UploadLinkUsed()
        room = await self._room(self._database, link)
        room.require(declared or 0)
        record, key = new_record_id(), new_key()
        sealer = Sealer(key, label(ArtefactKind.MEDIA, record))
        with self._artefacts.new_blob(record) as blob:
            async with _until(link, now):
                async for piece in body:
                    room.require(sealer.size + len(piece))
                    for ciphertext in sealer.push(piece):
                        await in_thread(blob.write, ciphertext)
            await in_thread(blob.write, sealer.finish())
            await in_thread(blob.flush)
            await self._register(link, SealedBlob(record, key, sealer.size), blob)
        with suppress(OnpremError, OSError):  # the upload stands; a sweep deletes the old version
            now = self._clock.now()
            await media.delete_superseded(self._database, self._artefacts, now=now)

    async def _register(self, link: MediaLink, blob: SealedBlob, file: BlobWriter) -> None:
        now = self._clock.now()
        async with self._database.write() as tx:
            if not await media.spend_link(tx, link.nonce, now=now, expires_at=link.expires_at):
                raise UploadLinkUsed()
            # Again, now that no other upload can come in between.
            (await self._room(tx, link)).require(blob.size)
            due_at = now + await self._life(tx, link)
            await self._artefacts.adopt(
                tx, blob, ArtefactKind.MEDIA, project_id=link.project_id, now=now, due_at=due_at
            )
            file.keep()  # the transaction is its owner now
            await media.put(tx, link.project_id, link.key, blob.record)

    async def _life(self, tx: Transaction, link: MediaLink) -> float:
        policy = await self._policy(tx, link)
        return media_life(self._settings.retention.media, policy.media_retention)

    async def _policy(self, database: Database | Transaction, link: MediaLink) -> ProjectSettings:
        project = await projects.get(database, link.project_id)
        if project is None:  # it was erased since the link was made
            raise UploadLinkInvalid()
        return project.settings

    async def _room(self, database: Database | Transaction, link: MediaLink) -> "_Room":
        largest = self._settings.limits.media_size
        quota = (await self._policy(database, link)).media_bytes
        if quota is None:
            return _Room(largest, None, 0)
        kept = await media.kept_bytes(database, link.project_id, link.key, now=self._clock.now())
        return _Room(largest, quota, quota - kept)


class _Room(NamedTuple):
    """Bytes: of one recording, of all of the project's (None: any number), and how many of those
    are left.
    """

    largest: int
    quota: int | None
    left: int

    def require(self, size: int) -> None:
        """Raises MediaTooLarge or MediaQuotaExceeded."""
        if size > self.largest:
            raise MediaTooLarge(limit=self.largest)
        if self.quota is not None and size > self.left:
            raise MediaQuotaExceeded(limit=self.quota)


@asynccontextmanager
async def _until(link: MediaLink, now: float) -> AsyncIterator[None]:
    """Raises UploadLinkInvalid when the link expires within the block."""
    try:
        async with asyncio.timeout(link.expires_at - now) as life:
            yield
    except TimeoutError:
        if not life.expired():  # it came from a disk
            raise
        raise UploadLinkInvalid() from None
