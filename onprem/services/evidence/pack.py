"""Making an evidence pack: measured first, then written, so that its manifest stands in front.

Its entry in the ledger comes before its first byte: there may be an entry of a pack that was then
not written, but never a pack without an entry.
"""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from onprem import __version__
from onprem.clock import Clock
from onprem.config.render import digest, shown
from onprem.config.settings import Settings
from onprem.core import evidence, inventory
from onprem.core.act import Act, ActKind
from onprem.core.evidence import About, Evidence, Part
from onprem.core.evidence_interval import Interval
from onprem.core.evidence_summary import Tally
from onprem.engine.library import ModelLibrary
from onprem.services.doctor.finding import Report
from onprem.services.evidence.facts import configured
from onprem.services.evidence.policy import policy
from onprem.services.evidence.readme import README_TEXT
from onprem.services.evidence.versions import versions
from onprem.services.ledger_export import LedgerExport, Outline
from onprem.services.signing import Signer
from onprem.store import ledger
from onprem.store.database import Database
from onprem.store.migrate import schema_version
from onprem.threads import in_thread


class Pack(NamedTuple):
    """One that can be written: `size` in bytes, in `pages` of pieces."""

    manifest: Evidence
    size: int
    pages: AsyncIterator[list[bytes]]


class _Member(NamedTuple):
    """`content` is None for the ledger, which is read anew."""

    part: Part
    content: bytes | None


class EvidencePacks:
    """`gauges` and `examined` say how deadlines are kept now, and what the doctor finds."""

    def __init__(
        self,
        database: Database,
        signer: Signer,
        clock: Clock,
        settings: Settings,
        key_file: Path,
        gauges: Callable[[], Awaitable[msgspec.Struct]],
        examined: Callable[[], Awaitable[Report]],
    ) -> None:
        self._database = database
        self._signer = signer
        self._clock = clock
        self._settings = settings
        self._key_file = key_file
        self._gauges = gauges
        self._examined = examined
        self._ledger = LedgerExport(database, signer, clock)

    def now(self) -> float:
        """Until when there is evidence, in seconds of retention time."""
        return self._clock.now()

    async def pack(self, interval: Interval, *, access_log: bool, actor: str) -> Pack:
        """What holds in the interval, and now. `actor` is noted.

        Raises:
            LedgerMoved: meanwhile entries outlived their retention; also while it is written.
            StorageFull, StoreBusy: it could not be noted, so there is none.
            DataDirectoryMissing, DataDirectoryForeign: somebody took the data away.
        """
        created_at = _date(self._clock.now())
        outline = await self._ledger.outline(*interval, access_log=access_log)
        members = [
            _member(evidence.README, README_TEXT.encode(), About.INTERVAL),
            *await self._promised(),
            *await self._done(outline),
            *await self._as_it_stands(),
        ]
        manifest = Evidence(
            installation=self._signer.installation,
            onprem=__version__,
            created_at=created_at,
            since=_date(interval.since),
            until=_date(interval.until),
            access_log=access_log,
            parts=[member.part for member in members],
        )
        document = self._signer.document(manifest).encoded() + b"\n"
        await self._note(manifest, document, actor)
        parts = [_member(evidence.MANIFEST, document, About.MOMENT), *members]
        sizes = [evidence.BLOCK + _padded(member.part.bytes) for member in parts]
        pages = self._written(parts, outline, evidence.made_at(manifest.until))
        return Pack(manifest, sum(sizes) + len(evidence.END), pages)

    async def _promised(self) -> list[_Member]:
        facts = configured(self._settings, self._key_file)
        places = {"places": inventory.told(facts), "beyond": inventory.BEYOND}
        return [
            _json("policy.json", await policy(self._database, self._settings)),
            _json("inventory.json", places),
        ]

    async def _done(self, outline: Outline) -> list[_Member]:
        size, sha256, tally = 0, hashlib.sha256(), Tally()

        def take(page: list[bytes]) -> None:
            for line in page:
                sha256.update(line)
                tally.take(line)

        async for page in self._ledger.pages_of(outline):
            size += sum(map(len, page))
            await in_thread(take, page)
        part = Part(evidence.LEDGER, size, sha256.hexdigest(), About.INTERVAL)
        return [
            _Member(part, None),
            _member(evidence.SUMMARY, tally.summary(), About.INTERVAL),
            _member(evidence.CANARY, tally.canaries(), About.INTERVAL),
        ]

    async def _as_it_stands(self) -> list[_Member]:
        library = ModelLibrary(self._settings.models_dir)
        schema = await schema_version(self._database)
        settings = {"sha256": digest(self._settings), "values": shown(self._settings)}
        return [
            _json("compliance.json", await self._gauges()),
            _json("doctor.json", await self._examined()),
            _json("configuration.json", settings),
            _json("versions.json", await in_thread(versions, library, schema)),
        ]

    async def _note(self, manifest: Evidence, document: bytes, actor: str) -> None:
        details = {
            "from": manifest.since.isoformat(),
            "to": manifest.until.isoformat(),
            "accessLog": manifest.access_log,
            "manifestSha256": hashlib.sha256(document).hexdigest(),
        }
        async with self._database.write() as tx:
            act = Act(ActKind.EVIDENCE_CREATED, actor, details=details)
            await ledger.append_act(tx, self._clock.stamp(), act)

    async def _written(
        self, members: list[_Member], outline: Outline, made_at: int
    ) -> AsyncIterator[list[bytes]]:
        for part, content in members:
            yield [evidence.member_head(part.name, part.bytes, made_at)]
            if content is not None:
                yield [content]
            else:
                async for page in self._ledger.pages_of(outline):
                    yield page
            yield [evidence.padding(part.bytes)]
        yield [evidence.END]


def _json(name: str, content: Any) -> _Member:
    return _member(name, evidence.encoded(content), About.MOMENT)


def _member(name: str, content: bytes, about: About) -> _Member:
    return _Member(Part(name, len(content), hashlib.sha256(content).hexdigest(), about), content)


def _padded(size: int) -> int:
    return size + len(evidence.padding(size))


def _date(moment: float) -> datetime:
    return datetime.fromtimestamp(moment, UTC)
