"""The media of a project: what is there, what its owner deletes, and the receipts of it."""

import msgspec

from onprem.clock import Clock
from onprem.core.act import Act, ActKind
from onprem.core.receipt import DeletionReason, Receipt
from onprem.core.requests import MEDIA_SCHEME, media_key
from onprem.errors import InvalidRequest, NotFound
from onprem.faults import Fault
from onprem.store import ledger, media
from onprem.store.artefacts import ArtefactStore
from onprem.store.database import Database
from onprem.store.media import MediaVersion


class MediaPage(msgspec.Struct, frozen=True):
    """`next_cursor` is None where no more follows."""

    versions: list[MediaVersion]
    next_cursor: str | None


class ReceiptPage(msgspec.Struct, frozen=True):
    """As `MediaPage`."""

    receipts: list[Receipt]
    next_cursor: str | None


class Withdrawn(msgspec.Struct, frozen=True):
    """A deletion that was asked for; `receipt` is None while an unfinished job needs the bytes."""

    version: MediaVersion
    receipt: Receipt | None


class MediaLibrary:
    def __init__(self, database: Database, artefacts: ArtefactStore, clock: Clock) -> None:
        self._database = database
        self._artefacts = artefacts
        self._clock = clock

    async def page(self, project_id: str, *, limit: int, cursor: str | None = None) -> MediaPage:
        """Live media in the order of their URLs; `cursor` is a URL, behind which it goes on.

        Raises InvalidRequest.
        """
        after = "" if cursor is None else media_key(cursor)
        if after is None:
            raise InvalidRequest([Fault("cursor", "Expected the nextCursor of a page before")])
        found = await media.named(
            self._database, project_id, after=after, limit=limit + 1, now=self._clock.now()
        )
        page = found[:limit]
        return MediaPage(page, url_of(page[-1]) if len(found) > limit else None)

    async def delete(self, project_id: str, url: str, *, operator: str | None = None) -> Withdrawn:
        """Take the name away at once, and delete the bytes.

        Where an unfinished job is bound to this version, a sweep deletes the bytes after that
        job's end, and at their deadline at the latest. Where it is not the owner who asks,
        `operator` is the actor that the ledger names.

        Raises:
            NotFound, InvalidRequest
            OSError, StorageFull, DataDirectoryDamaged: the bytes resist. Their key may be
                overwritten; asking again completes it.
            PurgeIncomplete: they are deleted, and SQLite's log still has bytes of them.
        """
        key, now = media_key(url), self._clock.now()
        if key is None:
            raise InvalidRequest([Fault("url", "Invalid media URL")])
        receipt = None
        async with self._database.write() as tx:
            version = await media.newest(tx, project_id, key, now=now)
            if version is None:
                raise NotFound(what="media")
            if await media.withdraw(tx, version.artefact_id):
                receipt = await self._artefacts.delete_within(
                    tx, version.artefact_id, DeletionReason.REQUESTED, now=now
                )
            if operator is not None:
                subject = version.artefact_id.hex()
                act = Act(ActKind.MEDIA_DELETED, operator, project_id, subject)
                await ledger.append_act(tx, self._clock.stamp(), act)
        await self._artefacts.empty_log()
        return Withdrawn(version, receipt)

    async def receipts(
        self, project_id: str, *, limit: int, cursor: str | None = None
    ) -> ReceiptPage:
        """The newest first; `cursor` is the id of an artefact, behind whose receipt it goes on."""
        found = await media.receipts(self._database, project_id, before=cursor, limit=limit + 1)
        page = found[:limit]
        return ReceiptPage(page, page[-1].artefact_id if len(found) > limit else None)


def url_of(version: MediaVersion) -> str:
    return MEDIA_SCHEME + version.key
