"""What a restored database says of all that no backup holds: it is gone, and has a receipt."""

import msgspec

from onprem.clock import Clock
from onprem.core.act import Act, ActKind
from onprem.core.receipt import DeletionMethod, DeletionReason, Receipt
from onprem.errors import RestoredFromBackup
from onprem.runner.finish import Finisher, Outcome
from onprem.stamp import Stamp
from onprem.store import erasure, ledger, restore
from onprem.store.artefacts import Artefact, ArtefactStore, receipt_of
from onprem.store.chain import LEDGER
from onprem.store.database import Database, Transaction
from onprem.store.erasure import Reach
from onprem.store.slots import SlotFile
from onprem.threads import in_thread


class Settled(msgspec.Struct, frozen=True):
    """`bound`: artefacts whose keys are here; they are deleted once the restore stands.

    The others are counts: artefacts that have no key here, jobs that failed, deliveries that
    ended, and keys and projects that were revoked or erased again.
    """

    bound: list[bytes]
    keyless: int
    failed_jobs: int
    deliveries: int
    revoked: int
    erased: int


class Settlement:
    """Of the database that is being restored. `region`: where the lost artefacts were."""

    def __init__(
        self,
        database: Database,
        artefacts: ArtefactStore,
        slots: SlotFile,
        clock: Clock,
        *,
        region: str,
    ) -> None:
        self._database = database
        self._artefacts = artefacts
        self._slots = slots
        self._clock = clock
        self._region = region

    async def settle(self, tx: Transaction, *, backup_tip: int) -> Settled:
        """`backup_tip`: what the ledger says behind that entry happened after the backup."""
        now = self._clock.now()
        revoked, erased = await self._revoke_and_erase(tx, backup_tip)
        occupants = await in_thread(self._slots.occupants)
        bound = await restore.bind_slots(tx, occupants, now=now)
        keyless = await restore.take_keyless(tx)
        for artefact in keyless:
            stamp = self._clock.stamp()
            await ledger.append_receipt(tx, stamp, self._receipt(artefact, now, stamp))
        await restore.free_slots(tx, set(range(len(self._slots))) - occupants.keys())
        await restore.expire_outputs(tx, now=now)
        failed = await self._fail_jobs(tx, now)
        deliveries = await restore.end_deliveries(tx, now=now)
        # Slots of records that nobody knows; not before, for their keys may be all that is left
        # of an installation if this restore breaks off.
        strays = [slot for slot, record in occupants.items() if record not in bound]
        await restore.free_slots(tx, strays)
        return Settled(bound, len(keyless), failed, deliveries, revoked, erased)

    async def _revoke_and_erase(self, tx: Transaction, backup_tip: int) -> tuple[int, int]:
        """What was revoked or erased after the backup stays so: a restore must not undo it."""
        counts = {ActKind.KEY_REVOKED: 0, ActKind.PROJECT_ERASED: 0}
        where = f"kind = 'act' AND body ->> 'act' IN ({', '.join('?' * len(counts))})"
        acts = await LEDGER.entries(tx, after=backup_tip, where=where, values=tuple(counts))
        for entry in acts:
            act = msgspec.json.decode(entry.body, type=Act)
            assert act.subject is not None, "these acts have one"
            if act.act is ActKind.KEY_REVOKED:
                await restore.revoke_again(tx, act.subject, at=entry.stamp.at)
            else:
                await erasure.blank(tx, act.subject, now=entry.stamp.at)
            counts[act.act] += 1
        return counts[ActKind.KEY_REVOKED], counts[ActKind.PROJECT_ERASED]

    async def _fail_jobs(self, tx: Transaction, now: float) -> int:
        finisher = Finisher(self._database, self._artefacts, self._clock)
        unfinished = await erasure.unfinished(tx, Reach())
        for job in unfinished:
            outcome = Outcome.failed(RestoredFromBackup())
            await finisher.conclude(tx, job, outcome, now=now)
        return len(unfinished)

    def _receipt(self, artefact: Artefact, now: float, stamp: Stamp) -> Receipt:
        return receipt_of(
            artefact,
            DeletionReason.RESTORED,
            region=self._region,
            now=now,
            stamp=stamp,
            method=DeletionMethod.KEY_ABSENT,
        )
