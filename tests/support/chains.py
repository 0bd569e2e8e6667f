"""An installation's chains in memory, and the exports and checkpoints that it makes of them."""

import hashlib
import io
from typing import Any

from onprem.core.anchors import AnchorFile, read_anchors
from onprem.core.chain import GENESIS, Entry, canonical, chain_digest
from onprem.core.checkpoint import ChainTip, Checkpoint
from onprem.core.ledger import ChainName, EntryKind
from onprem.core.ledger_export import (
    CheckpointLine,
    End,
    EndLine,
    Extent,
    Header,
    HeaderLine,
    encoded,
    entry_line,
)
from onprem.core.ledger_verification import verify
from onprem.core.pruned import Pruned
from onprem.core.restored import BackupTip, LastKnown, Restored
from onprem.core.signed import SignedDocument
from onprem.core.verification_report import Verification
from onprem.services.signing import Signer
from onprem.stamp import Stamp

SEED = bytes(range(32))
START = ChainTip(0, GENESIS.hex())
NOW = 1_800_000_000.0


class Chains:
    """Time passes by a second with each thing done; `now` may be set."""

    def __init__(self, signer: Signer | None = None) -> None:
        self.signer = signer or Signer(SEED)
        self.entries: dict[ChainName, list[Entry]] = {name: [] for name in ChainName}
        self.floors = dict.fromkeys(ChainName, START)
        self.checkpoints: list[SignedDocument] = []
        self.first_checkpoint = 1
        self.now = NOW

    def tip(self, chain: ChainName) -> ChainTip:
        entries = self.entries[chain]
        return (
            ChainTip(entries[-1].seq, entries[-1].digest.hex()) if entries else self.floors[chain]
        )

    def append(
        self, chain: ChainName = ChainName.LEDGER, kind: str = EntryKind.DELETION, body: Any = None
    ) -> Entry:
        tip, stamp = self.tip(chain), Stamp(self._tick(), self.now, "boot", True)
        raw = canonical({"n": tip.size} if body is None else body).decode()
        seq = tip.size + 1
        digest = chain_digest(bytes.fromhex(tip.digest), seq, stamp, kind, "job", raw)
        entry = Entry(seq, stamp, kind, "job", raw, digest)
        self.entries[chain].append(entry)
        return entry

    def checkpoint(self) -> SignedDocument:
        statement = Checkpoint(
            installation=self.signer.installation,
            number=self.first_checkpoint + len(self.checkpoints),
            at=self._tick(),
            wall=self.now,
            ledger=self.tip(ChainName.LEDGER),
            access_log=self.tip(ChainName.ACCESS_LOG),
        )
        document = self.signer.document(statement)
        self.checkpoints.append(document)
        return document

    def prune(self, chain: ChainName, count: int, *, told: bool = True) -> None:
        """Take the oldest entries away; an honest installation tells so in its ledger."""
        last = self.entries[chain][count - 1]
        self.floors[chain] = ChainTip(last.seq, last.digest.hex())
        for name, floor in self.floors.items() if told else ():
            if floor.size:
                pruned = Pruned(name, floor.size, floor.digest, self.now)
                self.append(ChainName.LEDGER, EntryKind.PRUNED, pruned)
        self.entries[chain] = self.entries[chain][count:]

    def backup(self) -> "Chains":
        copy = Chains(self.signer)
        copy.entries = {name: [*entries] for name, entries in self.entries.items()}
        copy.floors, copy.checkpoints = {**self.floors}, [*self.checkpoints]
        copy.now = self.now
        return copy

    def note_restore(self, last_known: ChainTip | None) -> None:
        """What a restored installation writes first."""
        tip = self.tip(ChainName.LEDGER)
        known = None if last_known is None else LastKnown(last_known.size, last_known.digest)
        restored = Restored(BackupTip(tip.size, tip.digest), known, self.now, "user:0")
        self.append(ChainName.LEDGER, EntryKind.RESTORED, restored)

    def export(self, since: dict[ChainName, int] | None = None) -> list[bytes]:
        """Lines. `since`: how many of the oldest entries of each chain are left out."""
        skipped = since or dict.fromkeys(ChainName, 0)
        extents = {name: self._extent(name, skipped[name]) for name in ChainName}
        numbers = self.first_checkpoint, self.first_checkpoint + len(self.checkpoints) - 1
        at = self._tick()
        header = Header(
            installation=self.signer.installation,
            at=at,
            wall=at,
            since=None if since is None else NOW,
            ledger=extents[ChainName.LEDGER],
            access_log=extents[ChainName.ACCESS_LOG],
            checkpoints=numbers if self.checkpoints else None,
        )
        lines = [encoded(HeaderLine(self.signer.document(header)))]
        lines += [encoded(CheckpointLine(document)) for document in self.checkpoints]
        for name in (ChainName.LEDGER, ChainName.ACCESS_LOG):
            lines += [
                encoded(entry_line(name, entry)) for entry in self.entries[name][skipped[name] :]
            ]
        end = End(
            installation=self.signer.installation,
            at=at,
            wall=at,
            ledger=extents[ChainName.LEDGER].last,
            access_log=extents[ChainName.ACCESS_LOG].last,
            sha256=hashlib.sha256(b"".join(lines)).hexdigest(),
        )
        return [*lines, encoded(EndLine(self.signer.document(end)))]

    def _extent(self, chain: ChainName, skipped: int) -> Extent:
        after = self.floors[chain]
        if skipped:
            last = self.entries[chain][skipped - 1]
            after = ChainTip(last.seq, last.digest.hex())
        return Extent(after, self.tip(chain))

    def _tick(self) -> float:
        self.now += 1
        return self.now


def verified(
    export: bytes | list[bytes],
    anchors: list[SignedDocument] | None = None,
    signer: Signer | None = None,
) -> Verification:
    """As somebody who has the public key and nothing else."""
    text = export if isinstance(export, bytes) else b"".join(export)
    key = (signer or Signer(SEED)).public_key
    file = None if anchors is None else anchor_file(anchors, key)
    return verify(io.BytesIO(text).readlines(), key, file)


def anchor_file(documents: list[SignedDocument], key: bytes) -> AnchorFile:
    return read_anchors([document.encoded() + b"\n" for document in documents], key)


def told(verification: Verification) -> list[str]:
    return [f"{problem.where} {problem.what}" for problem in verification.problems]
