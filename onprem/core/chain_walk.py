"""Going along one chain of an export, entry by entry, without keeping them."""

import enum

from onprem.core.chain import GENESIS, chain_digest
from onprem.core.checkpoint import ChainTip
from onprem.core.ledger import ChainName
from onprem.core.ledger_export import EntryLine, Extent
from onprem.core.verification_report import Problems

_TITLES = {ChainName.LEDGER: "ledger", ChainName.ACCESS_LOG: "access log"}


class Standing(enum.Enum):
    """Where a tip that somebody claims stands."""

    ON_CHAIN = enum.auto()
    OFF_CHAIN = enum.auto()
    """There is another entry of that number."""
    ABSENT = enum.auto()
    """The entry is missing, which was told."""
    BEFORE = enum.auto()
    """Of what came before the first entry nothing is here to compare it with."""
    BEYOND = enum.auto()
    """The chain ends before it."""


class ChainWalk:
    """`watch` what will be asked for, `take` the entries, `finish`, then ask for `standing`."""

    def __init__(self, name: ChainName, extent: Extent, problems: Problems) -> None:
        self.title = _TITLES[name]
        self.extent = extent
        self.tip = extent.after
        self._watched = {extent.after.size}
        self._digests = {extent.after.size: extent.after.digest}
        self._problems = problems
        if extent.after.size == 0 and extent.after.digest != GENESIS.hex():
            self._tell(1, "follows from an entry that there cannot be")

    def watch(self, size: int) -> None:
        self._watched.add(size)

    def take(self, line: EntryLine) -> None:
        """After a break it goes on from what the entry says of itself, so each is told once."""
        expected = self.tip.size + 1
        if line.seq < expected:
            self._tell(line.seq, "stands a second time, or not in its place")
            return
        if line.seq > expected:
            self._missing(expected, line.seq - 1)
        elif not _follows(line, self.tip.digest):
            self._tell(line.seq, "was changed, or does not follow from the one before it")
        self.tip = ChainTip(line.seq, line.digest)
        if line.seq in self._watched:
            self._digests[line.seq] = line.digest

    def finish(self) -> None:
        last = self.extent.last
        if self.tip.size < last.size:
            self._missing(self.tip.size + 1, last.size)
        elif self.tip != last:
            self._tell(self.tip.size, f"is not the last one, number {last.size}, as it was signed")

    def standing(self, tip: ChainTip) -> Standing:
        """Of one whose size was watched."""
        if tip.size < self.extent.after.size:
            return Standing.BEFORE
        if tip.size > self.extent.last.size:
            return Standing.BEYOND
        found = self._digests.get(tip.size)
        if found is None:
            return Standing.ABSENT
        return Standing.ON_CHAIN if found == tip.digest else Standing.OFF_CHAIN

    def _missing(self, first: int, last: int) -> None:
        if first == last:
            self._tell(first, "is missing")
        else:
            self._problems.add(f"{self.title} entries {first} to {last}", "are missing")

    def _tell(self, seq: int, what: str) -> None:
        self._problems.add(f"{self.title} entry {seq}", what)


def _follows(line: EntryLine, previous: str) -> bool:
    body = bytes(line.body).decode()
    before = bytes.fromhex(previous)
    found = chain_digest(before, line.seq, line.stamp, line.kind, line.job_id, body)
    return found.hex() == line.digest
