"""The end of a whole project: what goes besides its content, and the certificate of it."""

import msgspec

from onprem.clock import Clock
from onprem.core.act import Act, ActKind
from onprem.core.certificate import ErasureCertificate, LedgerPlace, Receipts, Verified
from onprem.core.purge import Plan, ProjectRecords, Total, totals
from onprem.core.receipt import ArtefactKind, DeletionReason
from onprem.core.signed import SignedDocument
from onprem.errors import DeletionUnverified
from onprem.services.signing import Signer
from onprem.store import erasure, ledger
from onprem.store.artefacts import ArtefactStore
from onprem.store.database import Database, Transaction
from onprem.store.erasure import Numbered, Reach


class _Erased(msgspec.Struct, frozen=True):
    """What the ledger notes of an erasure."""

    artefacts: dict[ArtefactKind, Total]
    records: ProjectRecords


class Erasure:
    """An erased project is a row with an id, and its receipts."""

    def __init__(self, database: Database, artefacts: ArtefactStore, clock: Clock) -> None:
        self._database = database
        self._artefacts = artefacts
        self._clock = clock

    async def begin(self, tx: Transaction, plan: Plan, actor: str) -> None:
        """From now on it is unknown to all, and nothing can be stored for it.

        One that was erased before stays as it is.
        """
        assert plan.project is not None
        project_id = plan.project.project_id
        if await erasure.erased_at(tx, project_id) is not None:
            return
        planned = [*plan.items, *plan.ending_with_run]
        known = {item.record for item in planned}
        live = await erasure.artefacts(tx, Reach(project_id=project_id))
        since = [artefact for artefact in live if artefact.id not in known]
        # Bytes are known now and not later: receipts do not tell them.
        erased = _Erased(totals([*planned, *since]), await erasure.records(tx, project_id))
        stamp = self._clock.stamp()
        await erasure.blank(tx, project_id, now=stamp.at)
        details = msgspec.to_builtins(erased)
        act = Act(ActKind.PROJECT_ERASED, actor, project_id, project_id, details)
        await ledger.append_act(tx, stamp, act)

    async def forget_rows(self) -> None:
        """The last rows, once nothing that was stored is left."""
        async with self._database.write() as tx:
            await erasure.forget_rest(tx)

    async def certificate(self, project_id: str, signer: Signer) -> SignedDocument:
        """Read from the ledger, so that it can be issued again at any time.

        Raises DeletionUnverified, PurgeIncomplete: something is left, so there is none.
        """
        entry = await erasure.act_of_erasure(self._database, project_id)
        assert entry is not None, "its row says that it was erased"
        act = msgspec.json.decode(entry.body, type=Act)
        erased = msgspec.convert(act.details, _Erased)
        receipts = [
            each
            for each in await erasure.receipts_of_project(self._database, project_id)
            if each.number > entry.seq or each.receipt.reason is DeletionReason.PROJECT_ERASED
        ]
        await self._check_gone(
            project_id, {bytes.fromhex(each.receipt.artefact_id) for each in receipts}
        )
        certificate = ErasureCertificate(
            installation=signer.installation,
            project_id=project_id,
            erased_by=act.actor,
            erased=entry.stamp,
            issued=self._clock.stamp(),
            act=LedgerPlace(entry.seq, entry.digest.hex()),
            artefacts=erased.artefacts,
            records=erased.records,
            receipts=Receipts(
                len(receipts),
                _place(receipts[0]) if receipts else None,
                _place(receipts[-1]) if receipts else None,
            ),
            verified=Verified(
                read_back=sum(each.receipt.verified for each in receipts),
                found_on_disk=0,
                log_emptied=True,
            ),
        )
        return signer.document(certificate)

    async def _check_gone(self, project_id: str, records: set[bytes]) -> None:
        """Look at what the certificate says: nothing is stored, nothing on the disk or in the log.

        Raises DeletionUnverified, PurgeIncomplete.
        """
        live = await erasure.artefacts(self._database, Reach(project_id=project_id))
        left = {each.id for each in live} | await self._artefacts.traces(records)
        for record in left:
            self._artefacts.verification.record_resisted(record)
        if left:
            raise DeletionUnverified(record=min(left).hex())
        await self._artefacts.empty_log()


def _place(receipt: Numbered) -> LedgerPlace:
    return LedgerPlace(receipt.number, receipt.digest.hex())
