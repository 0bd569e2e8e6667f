"""Reads of content: each stands in the access log before anybody gets what it reads.

What cannot be noted is not handed out.
"""

from collections.abc import Mapping
from typing import NamedTuple

from onprem.clock import Clock
from onprem.core.access import Access, Means, Result
from onprem.core.receipt import ArtefactKind
from onprem.store import access_log
from onprem.store.artefacts import ArtefactStore
from onprem.store.database import Database


class Reader(NamedTuple):
    """Who reads, by what way, and whose content. `who` as the actor of an act."""

    who: str
    means: Means
    project_id: str
    job_id: str | None = None


class AccessLog:
    """All methods raise StorageFull and StoreBusy: nothing was noted."""

    def __init__(self, database: Database, artefacts: ArtefactStore, clock: Clock) -> None:
        self._database = database
        self._artefacts = artefacts
        self._clock = clock

    async def admit(self, reader: Reader, records: Mapping[bytes, ArtefactKind]) -> bool:
        """Note that these artefacts are handed out, each by an entry.

        False: one of them was deleted or is past its deadline. Nothing was noted then, and nothing
        may be handed out, though it was read a moment ago: no read comes after the deletion.
        """
        async with self._database.write() as tx:
            for record in records:
                if await self._artefacts.deadline(tx, record, now=self._clock.now()) is None:
                    return False
            for record, kind in records.items():
                await access_log.append(
                    tx, self._clock.stamp(), _access(reader, kind, record), job_id=reader.job_id
                )
        return True

    async def heard(self, reader: Reader) -> None:
        """Note that a client gets words of an output that is not an artefact yet."""
        access = _access(reader, ArtefactKind.OUTPUT, None)
        await access_log.note(self._database, self._clock, access, job_id=reader.job_id)

    async def refused(self, reader: Reader, kind: ArtefactKind, record: bytes | None) -> None:
        """Note that somebody asked for what is gone, or past its deadline."""
        access = _access(reader, kind, record, Result.EXPIRED)
        await access_log.note(self._database, self._clock, access, job_id=reader.job_id)


def _access(
    reader: Reader, kind: ArtefactKind, record: bytes | None, result: Result = Result.READ
) -> Access:
    artefact_id = None if record is None else record.hex()
    return Access(reader.who, kind, reader.means, reader.project_id, artefact_id, result)
