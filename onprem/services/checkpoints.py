"""Checkpoints: signed every hour in which something was appended, and brought out of this host.

What could not be brought out is tried again, also after a restart, so none is lost. What a crash
left unsigned, the next start signs.
"""

import asyncio
import logging
from collections.abc import Sequence

from onprem import __version__
from onprem.clock import Clock
from onprem.config.settings import Retention
from onprem.core.checkpoint import Checkpoint
from onprem.errors import OnpremError, described
from onprem.media.send import SendFailed, SendPolicy, send
from onprem.services.checkpoint_file import append_lines
from onprem.services.signing import Signer
from onprem.store import checkpoints
from onprem.store.chain import ACCESS_LOG, LEDGER
from onprem.store.checkpoints import Exit, StoredCheckpoint
from onprem.store.database import Database
from onprem.threads import in_thread

logger = logging.getLogger(__name__)

CHECKPOINT_SECONDS = 3600.0
CHECK_SECONDS = 60.0
"""How often it is looked whether one is due, and tried again to export what waits."""
STOP_SECONDS = 5.0
"""How long a stop waits for the last one to be exported; else the next start does it."""
_AT_ONCE = 100
"""A receiver that was away for long gets so many in one run."""
_HEADERS = {"User-Agent": f"onprem/{__version__}", "Content-Type": "application/json"}


class Checkpoints:
    def __init__(
        self,
        database: Database,
        signer: Signer,
        clock: Clock,
        retention: Retention,
        policy: SendPolicy,
    ) -> None:
        self._database = database
        self._signer = signer
        self._clock = clock
        self._retention = retention
        self._policy = policy

    async def run(self) -> None:
        """Raises OnpremError, OSError: to be run again."""
        last = await checkpoints.last(self._database)
        if last is None or last.at + CHECKPOINT_SECONDS <= self._clock.now():
            await self.make()
        await self.export()

    async def started(self) -> None:
        """Sign what the last run left. It keeps no server from starting."""
        try:
            await self.make()
        except (OnpremError, OSError) as error:
            logger.error("no checkpoint of the ledger at the start: %s", described(error))

    async def stopped(self) -> None:
        """Sign the end, and export it if that is quick."""
        try:
            await self.make()
            async with asyncio.timeout(STOP_SECONDS):
                await self.export()
        except (OnpremError, OSError, TimeoutError) as error:
            logger.error(
                "the last checkpoint of the ledger waits for the next start: %s", described(error)
            )

    async def make(self) -> Checkpoint | None:
        """Sign where both chains stand; None: that was signed before."""
        async with self._database.write() as tx:
            ledger, access_log = (await LEDGER.tip(tx)).said, (await ACCESS_LOG.tip(tx)).said
            last = await checkpoints.last(tx)
            signed = (last.ledger_size, last.access_log_size) if last else (0, 0)
            if signed == (ledger.size, access_log.size):
                return None
            stamp = self._clock.stamp()
            checkpoint = Checkpoint(
                installation=self._signer.installation,
                number=last.number + 1 if last else 1,
                at=stamp.at,
                wall=stamp.wall,
                ledger=ledger,
                access_log=access_log,
            )
            await checkpoints.insert(tx, checkpoint, self._signer.document(checkpoint))
        return checkpoint

    async def export(self) -> None:
        """Bring out what waits, the oldest first. One way does not wait for the other.

        Raises StorageFull, StoreBusy: it left, and that could not be noted, so it leaves again.
        """
        if self._retention.checkpoint_file is not None:
            await self._file()
        if self._retention.checkpoint_webhook is not None:
            await self._send()

    async def _file(self) -> None:
        path = self._retention.checkpoint_file
        assert path is not None, "looked at above"
        while waiting := await checkpoints.waiting(self._database, "filed_at", limit=_AT_ONCE):
            lines = [each.document.encode() for each in waiting]
            try:
                await in_thread(append_lines, path, lines)
            except OSError as error:
                logger.error(
                    "retention.checkpoint_file cannot be written (%s); the ledger is not anchored"
                    " outside this host, and every minute this is tried again",
                    error.strerror,
                )
                return
            await self._mark("filed_at", waiting)

    async def _send(self) -> None:
        url = self._retention.checkpoint_webhook
        assert url is not None, "looked at above"
        for each in await checkpoints.waiting(self._database, "sent_at", limit=_AT_ONCE):
            try:
                await send("POST", url, _HEADERS, each.document.encode(), policy=self._policy)
            except SendFailed as failure:
                logger.error(
                    "retention.checkpoint_webhook takes no checkpoint (%s); the ledger is not"
                    " anchored outside this host, and every minute this is tried again",
                    failure,
                )
                return
            await self._mark("sent_at", [each])

    async def _mark(self, exit: Exit, gone: Sequence[StoredCheckpoint]) -> None:
        async with self._database.write() as tx:
            numbers = [each.number for each in gone]
            await checkpoints.mark(tx, exit, numbers, now=self._clock.now())
