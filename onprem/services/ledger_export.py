"""Exports of both chains: written page by page, whole or since a moment."""

import hashlib
from collections.abc import AsyncIterator
from typing import NamedTuple

from onprem.clock import Clock
from onprem.core.anchors import AnchorFile
from onprem.core.ledger_export import (
    CheckpointLine,
    End,
    EndLine,
    Extent,
    Header,
    HeaderLine,
    encoded,
    entry_line,
)
from onprem.core.ledger_verification import LedgerVerification
from onprem.core.verification_report import Verification
from onprem.errors import LedgerMoved
from onprem.services.signing import Signer
from onprem.store import checkpoints
from onprem.store.chain import ACCESS_LOG, LEDGER, Chain, Tip
from onprem.store.database import Database, Transaction
from onprem.threads import in_thread

_PAGE = 500
"""Lines; a page is read and encoded in some milliseconds."""


class Outline(NamedTuple):
    """What an export will hold; `floors` are where the chains begin, at the same moment."""

    header: Header
    floors: list[Tip]


class LedgerExport:
    def __init__(self, database: Database, signer: Signer, clock: Clock) -> None:
        self._database = database
        self._signer = signer
        self._clock = clock

    async def pages(self, since: float | None = None) -> AsyncIterator[list[bytes]]:
        """Lines, each with its newline. `since`: leave older entries out.

        Raises:
            LedgerMoved: meanwhile entries outlived their retention. There is no end then.
        """
        async for page in self.pages_of(await self.outline(since)):
            yield page

    async def pages_of(self, outline: Outline) -> AsyncIterator[list[bytes]]:
        """As `pages`. Of one outline they are the same lines each time."""
        header = outline.header
        digest = hashlib.sha256()
        async for page in self._before_end(header):
            for line in page:
                digest.update(line)
            yield page
        if await _floors(self._database) != outline.floors:
            raise LedgerMoved()
        end = End(
            installation=self._signer.installation,
            at=header.at,
            wall=header.wall,
            ledger=header.ledger.last,
            access_log=header.access_log.last,
            sha256=digest.hexdigest(),
        )
        yield [encoded(EndLine(self._signer.document(end)))]

    async def verification(self, anchors: AnchorFile | None = None) -> Verification:
        """Of what is stored now. Raises LedgerMoved."""
        verification = LedgerVerification(self._signer.public_key, anchors)

        def take(page: list[bytes]) -> None:
            for line in page:
                verification.take(line)

        async for page in self.pages():
            await in_thread(take, page)
        return await in_thread(verification.finish)

    async def outline(
        self, since: float | None, until: float | None = None, *, access_log: bool = True
    ) -> Outline:
        """Both chains at one moment. `until`: as they stood then, which is not in the future.

        Without `access_log` none of its entries is told, only where it stood.
        """
        async with self._database.write() as tx:
            stamp = self._clock.stamp()
            ledger = await _extent(tx, LEDGER, since, until)
            accesses = await _extent(tx, ACCESS_LOG, since, until)
            header = Header(
                installation=self._signer.installation,
                at=stamp.at if until is None else until,
                wall=stamp.wall if until is None else None,
                since=since,
                ledger=ledger,
                access_log=accesses if access_log else Extent(accesses.last, accesses.last),
                checkpoints=await checkpoints.numbers(
                    tx,
                    since,
                    until,
                    (ledger.last.size, (await LEDGER.tip(tx)).seq),
                    (accesses.last.size, (await ACCESS_LOG.tip(tx)).seq),
                ),
            )
            return Outline(header, await _floors(tx))

    async def _before_end(self, header: Header) -> AsyncIterator[list[bytes]]:
        yield [encoded(HeaderLine(self._signer.document(header)))]
        first, last = header.checkpoints or (1, 0)
        while stored := await checkpoints.between(self._database, first, last, limit=_PAGE):
            yield [encoded(CheckpointLine(each.signed)) for each in stored]
            first = stored[-1].number + 1
        for chain, extent in ((LEDGER, header.ledger), (ACCESS_LOG, header.access_log)):
            after, end = extent.after.size, extent.last.size
            while entries := await chain.entries(
                self._database, after=after, limit=_PAGE, where="seq <= ?", values=(end,)
            ):
                yield [encoded(entry_line(chain.name, entry)) for entry in entries]
                after = entries[-1].seq


async def _extent(
    tx: Transaction, chain: Chain, since: float | None, until: float | None
) -> Extent:
    tip = await (chain.tip(tx) if until is None else chain.last_until(tx, until))
    after = tip
    if since is None:
        after = await chain.floor(tx)
    elif (first := await chain.first_since(tx, since)) is not None and first <= tip.seq:
        after = await chain.before(tx, first)
    return Extent(after.said, tip.said)


async def _floors(database: Database | Transaction) -> list[Tip]:
    return [await chain.floor(database) for chain in (LEDGER, ACCESS_LOG)]
