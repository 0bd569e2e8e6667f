"""What the ledger says of deletions; a ledger of years is read in pieces."""

from collections.abc import Collection, Iterator

from onprem.core.receipt import DeletionReason, Receipt
from onprem.services.invariants.names import named
from onprem.services.invariants.violation import Violation


class Deletions:
    """`at`: when each record that somebody still names was deleted."""

    def __init__(self, named: Collection[bytes]) -> None:
        self._named = named
        self._seen: set[bytes] = set()
        self.at: dict[bytes, float] = {}

    def take(self, receipts: list[Receipt]) -> Iterator[Violation]:
        """Each receipt once, in the order of the ledger."""
        for receipt in receipts:
            record = bytes.fromhex(receipt.artefact_id)
            if record in self._seen:
                yield Violation("I4", f"artefact {receipt.artefact_id} has 2 receipts")
            self._seen.add(record)
            if record in self._named:
                self.at[record] = receipt.deleted_at
            what = named(receipt.kind, record)
            if not receipt.verified:
                yield Violation("I4", f"the deletion of {what} failed")
            if receipt.reason is DeletionReason.DEADLINE and receipt.deleted_at < receipt.due_at:
                yield Violation("I3", f"{what} was deleted before its deadline")
