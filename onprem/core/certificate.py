"""The certificate of an erasure: a signed statement that a project is gone, and its text."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from onprem.core.checkpoint import Digest
from onprem.core.purge import ProjectRecords, Total
from onprem.core.receipt import ArtefactKind
from onprem.core.signed import SignedDocument, Statement
from onprem.stamp import Stamp


class LedgerPlace(msgspec.Struct, frozen=True):
    """An entry of the ledger: its number, and its digest, which anchors all before it."""

    number: int
    digest: Digest


class Receipts(msgspec.Struct, frozen=True):
    """Those of the erasure in the ledger; none where nothing was stored."""

    count: int
    first: LedgerPlace | None
    last: LedgerPlace | None


class Verified(msgspec.Struct, frozen=True, rename="camel"):
    """What was looked at after the last deletion."""

    read_back: Annotated[int, Meta(description="Deletions that reading back confirmed.")]
    found_on_disk: Annotated[int, Meta(description="Their keys and files that are still there.")]
    log_emptied: Annotated[bool, Meta(description="Whether SQLite's log was truncated after it.")]


class ErasureCertificate(
    Statement, frozen=True, kw_only=True, tag_field="format", tag="onprem-erasure/1"
):
    """`act` is the ledger's entry that says who erased the project; `erased` is its stamp.

    Times are seconds since the epoch: `at` is retention time, `wall` what the machine showed.
    """

    project_id: str
    erased_by: str
    erased: Stamp
    issued: Stamp
    act: LedgerPlace
    artefacts: dict[ArtefactKind, Total]
    records: ProjectRecords
    receipts: Receipts
    verified: Verified


NOT_COVERED = """\
This certificate covers what the server stored. It does not cover copies that others made: results
that were read or delivered before the erasure, snapshots and backups of the disk, and blocks that a
flash disk without encryption has not reclaimed. Restoring a backup that is older than the erasure,
where this ledger is not, brings back the project's name, settings and API keys, and no content: it
has to be erased again. The ledger keeps the receipts, which hold ids,
times and reasons only."""


def text(certificate: ErasureCertificate, document: SignedDocument) -> str:
    """For people; what is signed is the JSON document."""
    erased, issued = certificate.erased, certificate.issued
    public_key = msgspec.to_builtins(document.public_key)
    signature = msgspec.to_builtins(document.signature)
    lines = [
        "CERTIFICATE OF ERASURE",
        "",
        f"installation  {certificate.installation}",
        f"project       {certificate.project_id}",
        f"erased        {_moment(erased.at)} by retention time; the machine's clock showed",
        f"              {_moment(erased.wall)}{_vouched(erased)}",
        f"erased by     {certificate.erased_by}, entry {certificate.act.number} of the ledger",
        f"issued        {_moment(issued.at)}",
        "",
        "Deleted for good:",
        *[
            f"  {total.count:8,d} {kind.replace('_', ' '):12} {total.bytes:16,d} bytes"
            for kind, total in certificate.artefacts.items()
        ],
        *([] if certificate.artefacts else ["  nothing was stored"]),
        "",
        *_beside(certificate.records),
        "",
        *_receipts(certificate.receipts),
        "",
        f"Verified: {certificate.verified.read_back} deletions were confirmed by reading back;"
        f" {certificate.verified.found_on_disk} of their",
        "keys and files are on the disk; the database's log "
        + ("was emptied." if certificate.verified.log_emptied else "was NOT emptied."),
        "",
        NOT_COVERED,
        "",
        "Signed with Ed25519 over the canonical JSON of the certificate:",
        f"  public key  {public_key}",
        f"  signature   {signature}",
    ]
    return "\n".join(lines) + "\n"


def _beside(records: ProjectRecords) -> list[str]:
    return [
        f"API keys that open nothing any more: {records.keys}. Rows deleted: {records.jobs} jobs,",
        f"{records.deliveries} deliveries, {records.media_names} names of media,"
        f" {records.idempotency_keys} idempotency keys, {records.webhook_secrets} webhook secrets;"
        " the name",
        "and the settings of the project.",
    ]


def _receipts(receipts: Receipts) -> list[str]:
    if receipts.first is None or receipts.last is None:
        return ["Receipts in the ledger: none."]
    return [
        f"Receipts in the ledger: {receipts.count}.",
        f"  first  {receipts.first.number:8d}  {receipts.first.digest}",
        f"  last   {receipts.last.number:8d}  {receipts.last.digest}",
    ]


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _vouched(stamp: Stamp) -> str:
    return "" if stamp.synchronised else " and was not synchronised"
