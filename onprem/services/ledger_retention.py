"""Taking away what of the ledger and the access log outlived its retention, oldest first."""

import msgspec

from onprem.clock import Clock
from onprem.config.settings import Retention
from onprem.core.ledger import ChainName
from onprem.core.pruned import Pruned
from onprem.store import checkpoints, ledger
from onprem.store.chain import ACCESS_LOG, LEDGER, Chain
from onprem.store.database import Database, Transaction

PAUSE_SECONDS = 24 * 3600.0
"""Each time leaves an entry, so it is not done for every single one that comes of age."""
_AT_ONCE = 10_000


class LedgerRetention:
    def __init__(self, database: Database, clock: Clock, retention: Retention) -> None:
        self._database = database
        self._clock = clock
        # The ledger comes last: with its head may go the entry that tells of the access log's.
        self._lives = {ACCESS_LOG: retention.access_log, LEDGER: retention.receipts}

    async def run(self, now: float) -> int:
        """At most daily for each chain. Returns how many entries it took away.

        Raises StorageFull, StoreBusy: what was taken away is noted, the rest is still there.
        """
        return sum([await self._prune(chain, now) for chain in self._lives])

    async def _prune(self, chain: Chain, now: float) -> int:
        last = await ledger.last_pruned(self._database, chain.name)
        # One in the future was noted before a clock that ran ahead was set back.
        if last is not None and last.stamp.at <= now < last.stamp.at + PAUSE_SECONDS:
            return 0
        taken = 0
        while batch := await self._prune_batch(chain, now - self._lives[chain], now):
            taken += batch
        return taken

    async def _prune_batch(self, chain: Chain, before: float, now: float) -> int:
        async with self._database.write() as tx:
            if chain.name is ChainName.LEDGER:
                oldest_job = await ledger.oldest_job(tx)
                before = before if oldest_job is None else min(before, oldest_job)
            floor = await chain.floor(tx)
            last = await chain.outlived(tx, before, now=now, at_most=_AT_ONCE)
            if last is None:
                return 0
            pruned = Pruned(chain.name, last.seq, last.digest.hex(), before)
            await ledger.append_pruned(tx, self._clock.stamp(), pruned)
            if chain.name is ChainName.LEDGER:
                await self._tell_again(tx, last.seq)
                await checkpoints.drop_before(tx, before)
            await chain.drop_head(tx, last)
            return last.seq - floor.seq

    async def _tell_again(self, tx: Transaction, gone: int) -> None:
        """Why the access log begins where it does stays told when that entry itself goes."""
        told = await ledger.last_pruned(tx, ChainName.ACCESS_LOG)
        if told is not None and told.seq <= gone:
            again = msgspec.json.decode(told.body, type=Pruned)
            await ledger.append_pruned(tx, self._clock.stamp(), again)
