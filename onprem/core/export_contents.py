"""What an export holds between header and end: entries and checkpoints, and their sense."""

from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from onprem.core.anchors import Anchored, AnchorFile, Restore, judge
from onprem.core.chain_walk import ChainWalk
from onprem.core.checkpoint_check import CheckpointCheck
from onprem.core.ledger import ChainName, EntryKind
from onprem.core.ledger_export import CheckpointLine, End, EntryLine, Header, Line
from onprem.core.pruned import Pruned
from onprem.core.restored import Restored
from onprem.core.verification_report import Beginning, ChainReport, Problems, Verification

T = TypeVar("T")


class ExportContents:
    """What follows a header: `take` each entry and checkpoint, set `end`, then `finish`."""

    def __init__(self, header: Header, anchors: AnchorFile | None, problems: Problems) -> None:
        self._header = header
        self._anchors = anchors
        self._problems = problems
        ledger = ChainWalk(ChainName.LEDGER, header.ledger, problems)
        access_log = ChainWalk(ChainName.ACCESS_LOG, header.access_log, problems)
        self._walks = {ChainName.LEDGER: ledger, ChainName.ACCESS_LOG: access_log}
        self.checkpoints = CheckpointCheck(header.checkpoints, ledger, access_log, problems)
        self._pruned: set[ChainName] = set()
        self._restores: list[Restore] = []
        self._rank = 0
        self.end: End | None = None
        self._anchored: Anchored | None = None
        self._checkpoints = 0
        for _, checkpoint in anchors.anchors if anchors else ():
            ledger.watch(checkpoint.ledger.size)
            access_log.watch(checkpoint.access_log.size)

    def is_next(self, line: Line) -> bool:
        """Whether a line of this sort may stand behind those that were taken."""
        before, self._rank = self._rank, max(self._rank, _rank(line))
        return _rank(line) >= max(before, 1)

    def take(self, line: EntryLine) -> None:
        if line.chain is ChainName.LEDGER and line.kind == EntryKind.PRUNED:
            self._take_pruned(line)
        elif line.chain is ChainName.LEDGER and line.kind == EntryKind.RESTORED:
            self._take_restored(line)
        self._walks[line.chain].take(line)

    def finish(self, found_sum: str) -> None:
        header, end = self._header, self.end
        for walk in self._walks.values():
            walk.finish()
        self._checkpoints = self.checkpoints.finish()
        self._check_beginnings()
        if self._anchors is not None:
            self._anchored = judge(
                self._anchors,
                self._walks[ChainName.LEDGER],
                self._walks[ChainName.ACCESS_LOG],
                self._restores,
                ended_at=header.at if end is None else end.at,
                problems=self._problems,
            )
        if end is None:
            return
        if (end.ledger, end.access_log) != (header.ledger.last, header.access_log.last):
            self._problems.add("the end", "belongs to another export than the header")
        elif end.sha256 != found_sum and not self._problems:
            self._problems.add("the export", "is not, byte for byte, the one that was signed")

    def told(self, report: Verification) -> Verification:
        header, anchored = self._header, self._anchored
        return msgspec.structs.replace(
            report,
            exported_at=_date(header.at),
            since=None if header.since is None else _date(header.since),
            ledger=self._chain(ChainName.LEDGER, anchored and anchored.ledger),
            access_log=self._chain(ChainName.ACCESS_LOG, anchored and anchored.access_log),
            checkpoints=self._checkpoints,
            anchors=anchored and anchored.report,
            restored=[restore.seq for restore in self._restores],
        )

    def _chain(self, name: ChainName, anchored_up_to: int | None) -> ChainReport:
        extent = self._walks[name].extent
        begins = Beginning.START
        if extent.after.size > 0:
            begins = Beginning.PRUNED if self._header.since is None else Beginning.SINCE
        return ChainReport(begins, extent.after.size, extent.last.size, anchored_up_to)

    def _take_pruned(self, line: EntryLine) -> None:
        pruned = self._read(line, Pruned)
        if pruned is not None:
            after = self._walks[pruned.chain].extent.after
            if (pruned.seq, pruned.digest) == (after.size, after.digest):
                self._pruned.add(pruned.chain)

    def _take_restored(self, line: EntryLine) -> None:
        restored = self._read(line, Restored)
        if restored is None:
            return
        backup, before = restored.backup_tip, self._walks[ChainName.LEDGER].tip
        if backup.seq > before.size or (
            backup.seq == before.size and backup.digest != before.digest
        ):
            what = "tells of another backup than the one that it follows"
            self._problems.add(f"ledger entry {line.seq}", what)
            return
        self._restores.append(Restore(line.seq, restored))

    def _read(self, line: EntryLine, kind: type[T]) -> T | None:
        try:
            return msgspec.json.decode(line.body, type=kind)
        except ValueError:
            self._problems.add(f"ledger entry {line.seq}", f"is not one of the kind {line.kind}")
            return None

    def _check_beginnings(self) -> None:
        if self._header.since is not None:
            return
        for name, walk in self._walks.items():
            gone = walk.extent.after.size
            if gone > 0 and name not in self._pruned:
                what = "are missing, and no entry says that they outlived their retention"
                self._problems.add(f"{walk.title} entries 1 to {gone}", what)


def _rank(line: Line) -> int:
    """Its section of the export. A header has no place behind the first line."""
    if isinstance(line, CheckpointLine):
        return 1
    if isinstance(line, EntryLine):
        return 2 if line.chain is ChainName.LEDGER else 3
    return 0


def _date(moment: float) -> datetime:
    return datetime.fromtimestamp(moment, UTC)
