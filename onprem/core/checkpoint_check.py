"""Whether the checkpoints of an export are all there and agree with its entries."""

from onprem.core.chain_walk import ChainWalk, Standing
from onprem.core.checkpoint import Checkpoint
from onprem.core.verification_report import Problems


class CheckpointCheck:
    """`take` them in their order, then `finish` once the chains were walked to their ends."""

    def __init__(
        self,
        numbers: tuple[int, int] | None,
        ledger: ChainWalk,
        access_log: ChainWalk,
        problems: Problems,
    ) -> None:
        self._first, self._last = numbers or (1, 0)
        self._ledger = ledger
        self._access_log = access_log
        self._problems = problems
        self._taken: list[Checkpoint] = []

    def take(self, checkpoint: Checkpoint) -> None:
        self._taken.append(checkpoint)
        self._ledger.watch(checkpoint.ledger.size)
        self._access_log.watch(checkpoint.access_log.size)

    def finish(self) -> int:
        """Returns how many there are."""
        expected = self._first
        for checkpoint in self._taken:
            if checkpoint.number < expected:
                self._tell(checkpoint.number, "stands a second time, or not in its place")
                continue
            self._tell_missing(expected, checkpoint.number - 1)
            expected = checkpoint.number + 1
            self._compare(checkpoint)
        self._tell_missing(expected, self._last)
        return len(self._taken)

    def _compare(self, checkpoint: Checkpoint) -> None:
        walks = (self._ledger, checkpoint.ledger), (self._access_log, checkpoint.access_log)
        for walk, tip in walks:
            if walk.standing(tip) in (Standing.OFF_CHAIN, Standing.BEYOND):
                what = f"does not agree with {walk.title} entry {tip.size}"
                self._tell(checkpoint.number, what)

    def _tell_missing(self, first: int, last: int) -> None:
        if first == last:
            self._tell(first, "is missing")
        elif first < last:
            self._problems.add(f"checkpoints {first} to {last}", "are missing")

    def _tell(self, number: int, what: str) -> None:
        self._problems.add(f"checkpoint {number}", what)
