"""What the entries of an interval amount to: counted from the lines of an export of the ledger.

Whoever makes a pack and whoever verifies it count alike, so that a summary that does not belong to
its ledger is found.
"""

from collections import Counter
from typing import Any

import msgspec

from onprem.core.evidence import encoded
from onprem.core.ledger import ChainName, EntryKind
from onprem.core.ledger_export import EntryLine, Line
from onprem.core.retention import GRACE_SECONDS


class Deletions(msgspec.Struct, rename="camel"):
    """Receipts of one kind of artefact, by reason. `late`: more than a minute after the deadline.

    `longest_delay`: of those that went by their deadline, in seconds.
    """

    count: int = 0
    reasons: Counter[str] = msgspec.field(default_factory=Counter)
    unverified: int = 0
    late: int = 0
    longest_delay: float = 0.0

    def take(self, receipt: dict[str, Any]) -> None:
        self.count += 1
        self.reasons[receipt["reason"]] += 1
        self.unverified += not receipt["verified"]
        if receipt["reason"] == "deadline":
            delay = receipt["deletedAt"] - receipt["dueAt"]
            self.late += delay > GRACE_SECONDS
            self.longest_delay = round(max(self.longest_delay, delay), 3)


class Summary(msgspec.Struct, rename="camel"):
    """`entries` of the ledger by kind, `acts` by what was done, `actors` by who did it."""

    entries: Counter[str] = msgspec.field(default_factory=Counter)
    deletions: dict[str, Deletions] = {}
    acts: Counter[str] = msgspec.field(default_factory=Counter)
    actors: Counter[str] = msgspec.field(default_factory=Counter)
    accesses: Counter[str] = msgspec.field(default_factory=Counter)


class CanaryEntry(msgspec.Struct, frozen=True):
    """An entry of the ledger about a canary: its number, its time, and what it says."""

    seq: int
    at: float
    body: msgspec.Raw


class Canaries(msgspec.Struct, rename="camel"):
    """`verdicts` are counted; what each means stands in the README of a pack."""

    verdicts: Counter[str] = msgspec.field(default_factory=Counter)
    entries: list[CanaryEntry] = []


_decoder = msgspec.json.Decoder(Line)


class Tally:
    """`take` each line of an export."""

    def __init__(self) -> None:
        self._summary = Summary()
        self._canaries = Canaries()

    def take(self, raw: bytes) -> None:
        """Raises ValueError, KeyError, TypeError: no line that onprem writes."""
        line = _decoder.decode(raw)
        if not isinstance(line, EntryLine):
            return
        body = msgspec.json.decode(line.body, type=dict[str, Any])
        if line.chain is ChainName.ACCESS_LOG:
            self._summary.accesses[body.get("result", "read")] += 1
            return
        self._summary.entries[line.kind] += 1
        if line.kind == EntryKind.DELETION:
            self._summary.deletions.setdefault(body["kind"], Deletions()).take(body)
        elif line.kind == EntryKind.ACT:
            self._summary.acts[body["act"]] += 1
            self._summary.actors[body["actor"]] += 1
        elif line.kind == EntryKind.CANARY:
            self._canaries.verdicts[body["verdict"]] += 1
            self._canaries.entries.append(CanaryEntry(line.seq, line.at, line.body.copy()))

    @property
    def verdicts(self) -> dict[str, int]:
        """How many canaries ended in which way."""
        return dict(self._canaries.verdicts)

    def summary(self) -> bytes:
        return encoded(self._summary)

    def canaries(self) -> bytes:
        return encoded(self._canaries)
