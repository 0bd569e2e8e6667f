"""A plan and what became of it, as text and as JSON."""

from collections.abc import Callable
from typing import Any

import msgspec

from onprem.cli.output import date, emit_table
from onprem.config.quantities import ByteSize
from onprem.core.purge import Item, Plan, What, totals
from onprem.services.purge import Purged
from onprem.store.erasure import Numbered

Say = Callable[[str], None]


def tell_plan(plan: Plan, say: Say) -> None:
    """Every record, why it goes, and what happens besides."""
    if plan.items or plan.ending_with_run:
        rows = [_row(item) for item in [*plan.items, *plan.ending_with_run]]
        emit_table(rows, ["record", "kind", "bytes", "due", "job", "why"], say)
    for kind, total in totals(plan.items).items():
        say(f"{total.count} of kind {kind}: {ByteSize(total.bytes)}")
    if plan.canceled_jobs:
        say(f"canceled, for they have not ended: {' '.join(plan.canceled_jobs)}")
    if plan.ending_with_run:
        say("A recording in memory is freed by the end of its run; the command waits for that.")
    if plan.hidden_jobs:
        say(f"jobs that no read shows from then on: {len(plan.hidden_jobs)}")
    if (records := plan.project) is not None:
        say(f"the project {records.project_id} with its name and settings,")
        say(f"{records.keys} API keys (revoked), {records.webhook_secrets} webhook secrets,")
        say(f"{records.jobs} jobs, {records.deliveries} deliveries, {records.media_names} names of")
        say(f"media, {records.idempotency_keys} idempotency keys. Receipts stay: ids only.")


def tell_nothing(plan: Plan, say: Say) -> None:
    nothing = {What.DUE: "nothing is due", What.ALL: "nothing is stored"}
    say(nothing.get(plan.selection.what, "nothing is left of it"))


def tell_done(done: Purged, say: Say) -> None:
    """The receipts, and what is left."""
    if done.receipts:
        rows = [_receipt_row(each) for each in done.receipts]
        emit_table(rows, ["receipt", "record", "kind", "reason", "deleted", "digest"], say)
    say(f"{len(done.receipts)} deleted, each with a receipt in the ledger")
    for item in done.left:
        say(f"LEFT: {item.kind} {item.artefact_id}")
    for job_id in done.stopping:
        say(f"still in memory: the recording of job {job_id}")


def plan_json(plan: Plan) -> dict[str, Any]:
    """Also where there is nothing to do."""
    return {"dryRun": True, "plan": plan}


def done_json(done: Purged) -> dict[str, Any]:
    receipts = [
        {"number": each.number, "digest": each.digest.hex(), **msgspec.to_builtins(each.receipt)}
        for each in done.receipts
    ]
    body = {
        "dryRun": False,
        "plan": done.plan,
        "receipts": receipts,
        "left": done.left,
        "failures": done.failures,
        "stopping": done.stopping,
    }
    return body if done.certificate is None else {**body, "certificate": done.certificate}


def _row(item: Item) -> list[str]:
    return [
        item.artefact_id,
        item.kind,
        str(item.size),
        date(item.due_at) or "",
        item.job_id or "-",
        item.why,
    ]


def _receipt_row(each: Numbered) -> list[str]:
    receipt = each.receipt
    return [
        str(each.number),
        receipt.artefact_id,
        receipt.kind,
        receipt.reason,
        date(receipt.deleted_at) or "",
        each.digest.hex()[:16],
    ]
