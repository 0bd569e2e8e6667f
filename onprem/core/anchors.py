"""The customer's own copies of checkpoints, and whether the chains still are what they say."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from onprem.core.chain_walk import ChainWalk, Standing
from onprem.core.checkpoint import ChainTip, Checkpoint
from onprem.core.restored import Restored
from onprem.core.signed import NotSigned, SignedDocument, open_signed
from onprem.core.verification_report import AnchorReport, Problem, Problems


class Anchor(NamedTuple):
    """A checkpoint, and the line of the file that it stands on."""

    line: int
    checkpoint: Checkpoint


class AnchorFile(NamedTuple):
    """In the order of the file, in which they were made."""

    anchors: Sequence[Anchor] = ()
    faults: Sequence[Problem] = ()
    unreadable: Sequence[int] = ()


class Restore(NamedTuple):
    """An entry that tells of a restore, and its number."""

    seq: int
    restored: Restored


class Anchored(NamedTuple):
    """The result, and the last entries that an anchor holds."""

    report: AnchorReport
    ledger: int
    access_log: int


def read_anchors(lines: Iterable[bytes], public_key: bytes) -> AnchorFile:
    """One signed checkpoint a line.

    A line that is none, such as one that a crash broke off, holds nothing and hides nothing: the
    checkpoint was exported again. One that was tampered with is a fault.
    """
    anchors, faults, unreadable = [], [], []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            document = msgspec.json.decode(line, type=SignedDocument)
        except (ValueError, RecursionError):
            unreadable.append(number)
            continue
        try:
            anchors.append(Anchor(number, open_signed(document, Checkpoint, public_key)))
        except NotSigned as why:
            faults.append(Problem(f"anchor line {number}", str(why)))
    return AnchorFile(anchors, faults, unreadable)


def judge(
    file: AnchorFile,
    ledger: ChainWalk,
    access_log: ChainWalk,
    restores: Sequence[Restore],
    *,
    ended_at: float,
    problems: Problems,
) -> Anchored:
    """`ended_at`: when the export was made, in seconds of retention time."""
    for fault in file.faults:
        problems.add(fault.where, fault.what)
    found = before = newer = lost = 0
    ledger_up_to, access_log_up_to = ledger.extent.after.size, access_log.extent.after.size
    for place, anchor in enumerate(file.anchors):
        checkpoint = anchor.checkpoint
        claims = (
            _Claim(ledger, checkpoint.ledger, ledger.standing(checkpoint.ledger)),
            _Claim(access_log, checkpoint.access_log, access_log.standing(checkpoint.access_log)),
        )
        wrong = [claim for claim in claims if claim.standing in _WRONG]
        if not wrong:
            compared = any(claim.standing is Standing.ON_CHAIN for claim in claims)
            found, before = found + compared, before + (not compared)
            ledger_up_to = max(ledger_up_to, checkpoint.ledger.size)
            access_log_up_to = max(access_log_up_to, checkpoint.access_log.size)
        elif _lost(file, place, claims[0], restores):
            lost += 1
        elif checkpoint.at > ended_at and all(claim.standing is Standing.BEYOND for claim in wrong):
            newer += 1
        else:
            for claim in wrong:
                problems.add(f"anchor line {anchor.line}", claim.sentence)
    report = AnchorReport(found, before, newer, lost, list(file.unreadable))
    return Anchored(report, ledger_up_to, access_log_up_to)


_WRONG = (Standing.OFF_CHAIN, Standing.BEYOND)


class _Claim(NamedTuple):
    """Where a chain stood, as an anchor says."""

    walk: ChainWalk
    tip: ChainTip
    standing: Standing

    @property
    def sentence(self) -> str:
        entry = f"{self.walk.title} entry {self.tip.size}"
        if self.standing is Standing.OFF_CHAIN:
            return f"{entry} is not the one that was anchored"
        return f"{entry} was anchored, and the chain ends before it"


def _lost(file: AnchorFile, place: int, ledger: _Claim, restores: Sequence[Restore]) -> bool:
    """Whether a restore lost what the anchor at `place` speaks of, and knew of it.

    A restore knows of the checkpoint that it names, and so of all that were anchored before that
    one. It lost only what came after its backup.
    """
    for seq, restored in restores:
        # Where the ledger stood still after the backup, only the access log lost something.
        lost_from = seq if ledger.standing in _WRONG else restored.backup_tip.seq
        if ledger.tip.size >= lost_from and place <= _last_known(file, restored):
            return True
    return False


def _last_known(file: AnchorFile, restored: Restored) -> int:
    """The place of the anchor that a restore names; -1: it names none, or none that is here."""
    known = restored.last_known
    places = [
        place
        for place, (_, checkpoint) in enumerate(file.anchors)
        if known is not None and checkpoint.ledger == ChainTip(known.size, known.digest)
    ]
    return max(places, default=-1)
