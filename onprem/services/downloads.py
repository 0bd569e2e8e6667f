"""Downloads of media: a signed link, then the recording as it was uploaded, whole or in part."""

from collections.abc import AsyncIterator
from typing import NamedTuple

from onprem.clock import Clock
from onprem.core.access import Means
from onprem.core.act import key_actor
from onprem.core.receipt import ArtefactKind
from onprem.core.requests import media_key
from onprem.errors import DownloadLinkInvalid, InvalidRequest, MediaGone
from onprem.faults import Fault
from onprem.services.access import AccessLog, Reader
from onprem.services.keys import Principal
from onprem.services.media_links import LinkSigner, MediaLink
from onprem.store import media
from onprem.store.artefacts import ArtefactStore
from onprem.store.database import Database
from onprem.store.media import MediaVersion
from onprem.store.seal import SEGMENT
from onprem.threads import in_thread


class Download(NamedTuple):
    """What a link leads to now, and who it was made for."""

    version: MediaVersion
    reader: Reader


class Sending(NamedTuple):
    """Bytes in pieces of a MiB at most, and the seconds until the deadline of what they are of."""

    pieces: AsyncIterator[bytes]
    seconds: float


class Downloads:
    def __init__(
        self,
        database: Database,
        artefacts: ArtefactStore,
        access: AccessLog,
        signer: LinkSigner,
        clock: Clock,
    ) -> None:
        self._database = database
        self._artefacts = artefacts
        self._access = access
        self._signer = signer
        self._clock = clock

    async def declare(self, principal: Principal, url: str) -> str:
        """A token for downloads of a media:// URL. Raises InvalidRequest where nothing is there."""
        key, now = media_key(url), self._clock.now()
        if key is None:
            raise InvalidRequest([Fault("url", "Invalid media URL")])
        if await media.newest(self._database, principal.project_id, key, now=now) is None:
            why = "No media was uploaded under this URL, or it has expired"
            raise InvalidRequest([Fault("url", why)])
        return self._signer.sign("GET", principal.project_id, key, key_id=principal.key_id, now=now)

    async def find(self, token: str) -> Download:
        """The newest version of the link's key.

        Raises:
            DownloadLinkInvalid: the link is forged or expired.
            MediaGone: there is no such media any more.
            StorageFull, StoreBusy: so it is, and that it was asked for cannot be noted.
        """
        now = self._clock.now()
        link = self._signer.open("GET", token, now=now)
        if link is None:
            raise DownloadLinkInvalid()
        version = await media.newest(self._database, link.project_id, link.key, now=now)
        reader = _reader(link)
        if version is None:
            await self._access.refused(reader, ArtefactKind.MEDIA, None)
            raise MediaGone()
        return Download(version, reader)

    async def begin(self, download: Download, start: int, stop: int) -> Sending:
        """Bytes from `start` up to `stop`.

        The pieces raise MediaGone as soon as the version is deleted or due: nothing more is read
        then.

        Raises:
            MediaGone: that is so already.
            StorageFull, StoreBusy: reading cannot be noted.
        """
        version, reader = download
        if not await self._access.admit(reader, {version.artefact_id: ArtefactKind.MEDIA}):
            await self._access.refused(reader, ArtefactKind.MEDIA, version.artefact_id)
            raise MediaGone()
        pieces = self._pieces(version, start, stop)
        return Sending(pieces, max(0.0, version.due_at - self._clock.now()))

    async def _pieces(self, version: MediaVersion, start: int, stop: int) -> AsyncIterator[bytes]:
        first = start // SEGMENT
        segments = await self._artefacts.open(
            version.artefact_id, now=self._clock.now(), first=first
        )
        for number in range(first, -(-stop // SEGMENT)):
            if segments is None or not await self._lives(version):
                raise MediaGone()
            try:
                segment = await in_thread(next, segments)
            except FileNotFoundError:  # deleted in this very moment
                raise MediaGone() from None
            begin = number * SEGMENT
            yield segment[max(0, start - begin) : stop - begin]

    async def _lives(self, version: MediaVersion) -> bool:
        """Whether it has its bytes; its name may be a newer version's meanwhile."""
        return await media.lives(self._database, version.artefact_id, now=self._clock.now())


def _reader(link: MediaLink) -> Reader:
    return Reader(key_actor(link.key_id), Means.API, link.project_id)
