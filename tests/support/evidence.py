"""Evidence packs made of the chains of `tests/support/chains.py`, taken apart and put together."""

import hashlib
import io
import tarfile
from contextlib import suppress
from datetime import UTC, datetime

import msgspec

from onprem.core import evidence
from onprem.core.evidence import About, Evidence, Part
from onprem.core.evidence_summary import Tally
from onprem.core.evidence_verification import EvidenceReport, verify
from onprem.core.ledger_export import Header, HeaderLine
from onprem.services.signing import Signer
from tests.support.chains import SEED, Chains

MEMBERS = (
    *("manifest.json", "README.txt", "policy.json", "inventory.json", "ledger.jsonl"),
    *("summary.json", "canary.json", "compliance.json", "doctor.json", "configuration.json"),
    "versions.json",
)
"""Of a pack, in their order."""


def pack(chains: Chains, contents: dict[str, bytes] | None = None) -> bytes:
    """As an installation signs it. `contents`: parts that are other ones than they should be."""
    lines = chains.export(since={name: 0 for name in chains.entries})
    header_line = msgspec.json.decode(lines[0], type=HeaderLine)
    header = msgspec.json.decode(header_line.document.body, type=Header)
    tally = Tally()
    for line in lines:
        with suppress(KeyError):  # an entry that no installation writes
            tally.take(line)
    assert header.since is not None
    parts = {
        "README.txt": b"Read me.\n",
        "ledger.jsonl": b"".join(lines),
        "summary.json": tally.summary(),
        "canary.json": tally.canaries(),
    } | (contents or {})
    manifest = Evidence(
        installation=chains.signer.installation,
        onprem="1",
        created_at=datetime.fromtimestamp(header.at, UTC),
        since=datetime.fromtimestamp(header.since, UTC),
        until=datetime.fromtimestamp(header.at, UTC),
        access_log=True,
        parts=[
            Part(name, len(raw), hashlib.sha256(raw).hexdigest(), About.INTERVAL)
            for name, raw in parts.items()
        ],
    )
    document = chains.signer.document(manifest).encoded() + b"\n"
    return archive({"manifest.json": document, **parts}, evidence.made_at(manifest.until))


def archive(members: dict[str, bytes], made_at: int) -> bytes:
    pieces = [
        evidence.member_head(name, len(raw), made_at) + raw + evidence.padding(len(raw))
        for name, raw in members.items()
    ]
    return b"".join(pieces) + evidence.END


def members_of(raw: bytes) -> dict[str, bytes]:
    """As any tar reads them."""
    with tarfile.open(fileobj=io.BytesIO(raw)) as opened:
        found = {info.name: opened.extractfile(info) for info in opened.getmembers()}
    return {name: file.read() for name, file in found.items() if file is not None}


def made_at(raw: bytes) -> int:
    with tarfile.open(fileobj=io.BytesIO(raw)) as opened:
        (moment,) = {info.mtime for info in opened.getmembers()}
    return int(moment)


def verified(raw: bytes, signer: Signer | None = None) -> EvidenceReport:
    """By somebody who has the public key, and reads in pieces."""
    pieces = [raw[start : start + 1000] for start in range(0, len(raw), 1000)]
    return verify(pieces, (signer or Signer(SEED)).public_key)


def told(report: EvidenceReport) -> list[str]:
    return [f"{problem.where} {problem.what}" for problem in report.problems]
