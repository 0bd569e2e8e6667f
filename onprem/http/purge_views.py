"""Plans of purges, and what became of them, as the API shows them."""

import msgspec

from onprem.core.purge import Item, Plan, ProjectRecords, Selection
from onprem.core.receipt import ArtefactKind, DeletionReason
from onprem.core.signed import SignedDocument
from onprem.http.views import ReceiptView, iso, receipt_view
from onprem.services.purge import Purged
from onprem.store.erasure import Numbered


class ItemView(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A record; `why` says in words what `reason` will say in its receipt. `size` in bytes."""

    artefact_id: str
    kind: ArtefactKind
    project_id: str
    size: int
    due_at: str
    reason: DeletionReason
    why: str
    job_id: str | None = None


class PlanView(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """`ending_with_run`: recordings in memory, which the end of their run frees. `hidden_jobs`
    are unknown from then on. `project`: what goes with a whole project."""

    selection: Selection
    at: str
    items: list[ItemView]
    ending_with_run: list[ItemView] = []
    canceled_jobs: list[str] = []
    hidden_jobs: list[str] = []
    project: ProjectRecords | None = None


class NumberedReceipt(msgspec.Struct, frozen=True):
    """A receipt, its number in the ledger, and the digest of that entry."""

    number: int
    digest: str
    receipt: ReceiptView


class PurgeView(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """`receipts` are absent in a dry run. `stopping`: jobs whose runs still hold a recording in
    memory. `certificate`: of the erasure of a project."""

    dry_run: bool
    plan: PlanView
    receipts: list[NumberedReceipt] | msgspec.UnsetType = msgspec.UNSET
    stopping: list[str] = []
    certificate: SignedDocument | None = None


def plan_view(plan: Plan) -> PlanView:
    return PlanView(
        selection=plan.selection,
        at=iso(plan.at),
        items=[_item(item) for item in plan.items],
        ending_with_run=[_item(item) for item in plan.ending_with_run],
        canceled_jobs=plan.canceled_jobs,
        hidden_jobs=plan.hidden_jobs,
        project=plan.project,
    )


def purge_view(done: Purged) -> PurgeView:
    return PurgeView(
        dry_run=False,
        plan=plan_view(done.plan),
        receipts=[_receipt(each) for each in done.receipts],
        stopping=done.stopping,
        certificate=done.certificate,
    )


def _item(item: Item) -> ItemView:
    return ItemView(
        artefact_id=item.artefact_id,
        kind=item.kind,
        project_id=item.project_id,
        size=item.size,
        due_at=iso(item.due_at),
        reason=item.reason,
        why=item.why,
        job_id=item.job_id,
    )


def _receipt(each: Numbered) -> NumberedReceipt:
    return NumberedReceipt(each.number, each.digest.hex(), receipt_view(each.receipt))
