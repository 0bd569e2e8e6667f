"""Restoring a backup: the new database is built beside the old one and put in its place by one
rename. Before that nothing has changed, and after it what the old one held is deleted.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from onprem.clock import RetentionClock
from onprem.config.settings import Settings
from onprem.core.backup import Manifest
from onprem.core.checkpoint import Checkpoint
from onprem.core.ledger import EntryKind
from onprem.core.receipt import DeletionReason
from onprem.core.restored import BackupTip, LastKnown, Restored
from onprem.errors import StoreBusy
from onprem.media.send import SendPolicy
from onprem.services.backup.settle import Settled, Settlement
from onprem.services.checkpoints import Checkpoints
from onprem.services.signing import installation_signer
from onprem.store import checkpoints, clock_mark, free_slots, restore, swap
from onprem.store.artefacts import ArtefactStore
from onprem.store.blobs import BlobFolder
from onprem.store.chain import LEDGER
from onprem.store.data_directory import DataDirectory
from onprem.store.database import Database, Transaction
from onprem.store.master_key import MasterKey
from onprem.store.recovery import reconcile
from onprem.store.restore import Holdings
from onprem.store.secrets import SecretStore
from onprem.store.slots import SlotFile
from onprem.store.swap import Ends
from onprem.threads import in_thread

REVIVED = "What was erased or revoked after the backup's time is back: erase and revoke it again."
"""Said where no newer ledger was there to tell."""


class Replaced(msgspec.Struct, frozen=True, rename="camel"):
    """What the data directory holds now, and where its chains end. `ledger_kept`: its ledger goes
    on from the backup's, with `newer_entries`, so nothing of it is lost."""

    holds: Holdings
    ends: Ends
    ledger_kept: bool
    newer_entries: int


class Plan(msgspec.Struct, frozen=True, rename="camel"):
    """What a restore is to do. `replaces` is None where there is no installation yet."""

    file: str
    data_dir: str
    backup: Manifest
    replaces: Replaced | None


class Outcome(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What a restore did, in numbers; `ledger` is its last entry, `checkpoint` signs it.

    `deleted` had keys here, `absent` had none; all have a receipt. `last_known`: up to which entry
    the ledger was known to reach. `warning`: what is left to do by hand.
    """

    deleted: int
    absent: int
    failed_jobs: int
    deliveries: int
    revoked: int
    erased: int
    ledger: int
    checkpoint: int
    last_known: int | None = None
    warning: str | None = None


class Restore:
    """A restore that is prepared: nothing has changed, and no server can start."""

    def __init__(
        self,
        plan: Plan,
        directory: DataDirectory,
        staged: DataDirectory,
        master: MasterKey,
        settings: Settings,
        clock: RetentionClock,
        last_known: Checkpoint | None,
    ) -> None:
        self.plan = plan
        self._directory = directory
        self._staged = staged
        self._master = master
        self._settings = settings
        self._clock = clock
        self._anchor = last_known

    async def carry_out(self, *, actor: str) -> Outcome:
        """May be repeated. If it is killed, the data directory is as it was or as it shall be; what
        is left to delete then, the next start deletes.

        Raises:
            StoreBusy, StorageFull, LedgerUnreadable, OSError: nothing was changed.
            OSError, DataDirectoryDamaged, DeletionUnverified, PurgeIncomplete: the backup is
                restored, and something of what was there before resists; the next start tries.
        """
        source, target = self._staged.database, self._directory.database
        replaces = self.plan.replaces
        if replaces is not None:
            keep = restore.keep_history if replaces.ledger_kept else restore.keep_artefacts
            await in_thread(keep, source, target)
        if not self._directory.slots.exists():
            SlotFile.create(self._directory.slots)
        settled, checkpoint = await self._build(actor)
        ends = None if replaces is None else replaces.ends
        await in_thread(swap.replace_database, self._directory, source, ends)
        await self._clear(settled)
        known = None if self._anchor is None else self._anchor.ledger.size
        return Outcome(
            len(settled.bound),
            settled.keyless,
            settled.failed_jobs,
            settled.deliveries,
            settled.revoked,
            settled.erased,
            checkpoint.ledger.size,
            checkpoint.number,
            known,
            None if replaces is not None and replaces.ledger_kept else REVIVED,
        )

    async def _build(self, actor: str) -> tuple[Settled, Checkpoint]:
        """The database as it shall be, closed and without a log."""
        settings, backup = self._settings, self.plan.backup
        kept = self.plan.replaces is not None and self.plan.replaces.ledger_kept
        region = settings.node.region if kept else backup.region
        async with self._opened(self._staged) as (database, slots, artefacts):
            await self._set_clock(database)
            self._anchor = _newest(self._anchor, await _last_checkpoint(database))
            settlement = Settlement(database, artefacts, slots, self._clock, region=region)
            async with database.write() as tx:
                await clock_mark.accept(tx, self._clock.mark())
                if not kept:
                    await restore.settle_exports(tx, now=self._clock.now())
                await self._note(tx, actor)
                settled = await settlement.settle(tx, backup_tip=backup.ledger.size)
            secrets = SecretStore(database, self._master.derive("secrets"))
            signer = await installation_signer(database, secrets, self._clock)
            signing = Checkpoints(database, signer, self._clock, settings.retention, SendPolicy())
            checkpoint = await signing.make()
            assert checkpoint is not None, "there is a new entry"
            if not await database.truncate_log():
                raise StoreBusy()
        return settled, checkpoint

    async def _set_clock(self, database: Database) -> None:
        """It goes on from where it stood, and is never behind what the ledger has."""
        if mark := await clock_mark.read(database):
            self._clock.resume(mark)
        newest = await LEDGER.newest(database, limit=1)
        mark = self._clock.mark()
        if newest and newest[0].stamp.at > mark.time:
            self._clock.resume(msgspec.structs.replace(mark, time=newest[0].stamp.at))

    async def _note(self, tx: Transaction, actor: str) -> None:
        backup, known = self.plan.backup, self._anchor
        restored = Restored(
            BackupTip(backup.ledger.size, backup.ledger.digest),
            None if known is None else LastKnown(known.ledger.size, known.ledger.digest),
            backup.created_at,
            actor,
        )
        await LEDGER.append(tx, self._clock.stamp(), EntryKind.RESTORED, restored)

    async def _clear(self, settled: Settled) -> None:
        """Delete what was there before: keys of its records, and whatever has no row."""
        async with self._opened(self._directory) as (database, slots, artefacts):
            now = self._clock.now()
            await artefacts.delete(settled.bound, DeletionReason.RESTORED, now=now)
            blobs = BlobFolder(self._directory.blobs)
            await reconcile(database, artefacts, slots, blobs, now=now)

    @asynccontextmanager
    async def _opened(
        self, place: DataDirectory
    ) -> AsyncIterator[tuple[Database, SlotFile, ArtefactStore]]:
        database = Database(place.database)
        await database.open()
        try:
            key = self._master.derive("record keys")
            slots = SlotFile(self._directory.slots, key, await free_slots.known(database))
            try:
                blobs = BlobFolder(self._directory.blobs)
                region = self._settings.node.region
                yield (
                    database,
                    slots,
                    ArtefactStore(database, slots, blobs, region=region, clock=self._clock),
                )
            finally:
                slots.close()
        finally:
            await database.close()


async def _last_checkpoint(database: Database) -> Checkpoint | None:
    last = await checkpoints.last(database)
    return None if last is None else msgspec.json.decode(last.signed.body, type=Checkpoint)


def _newest(*known: Checkpoint | None) -> Checkpoint | None:
    found = [each for each in known if each is not None]
    return max(found, key=lambda each: each.at) if found else None
