"""Verifying an export of the ledger: needs its lines and the public key, and keeps no entries.

What it shows: the entries are those that the installation had when it exported them, in their
order, none missing; every checkpoint that it signed agrees with them. Only anchors, checkpoints
that were kept elsewhere, show that the installation itself did not change or shorten its chains.
"""

import hashlib
from collections.abc import Iterable
from typing import TypeVar

from onprem.core.anchors import AnchorFile
from onprem.core.checkpoint import Checkpoint
from onprem.core.export_contents import ExportContents
from onprem.core.ledger_export import (
    CheckpointLine,
    End,
    EndLine,
    EntryLine,
    Header,
    HeaderLine,
    Line,
    decoded,
)
from onprem.core.signed import NotSigned, SignedDocument, Statement, installation_id, open_signed
from onprem.core.verification_report import Problems, Verification

MAX_LINE = 1 << 20
"""Bytes; no line is nearly as long, and what is longer need not be read to its end."""

S = TypeVar("S", bound=Statement)


def verify(lines: Iterable[bytes], public_key: bytes, anchors: AnchorFile | None) -> Verification:
    """`lines` with their newlines; anything longer than MAX_LINE may be broken up."""
    verification = LedgerVerification(public_key, anchors)
    for line in lines:
        verification.take(line)
    return verification.finish()


class LedgerVerification:
    """`take` each line with its newline, then `finish`."""

    def __init__(self, public_key: bytes, anchors: AnchorFile | None = None) -> None:
        self._key = public_key
        self._anchors = anchors
        self._problems = Problems()
        self._line = 0
        self._sum = hashlib.sha256()
        self._contents: ExportContents | None = None
        self._ended = False

    def take(self, raw: bytes) -> None:
        self._line += 1
        if self._ended:
            self._tell("comes after the end")
            return
        line = _line(raw)
        if self._line == 1:
            self._begin(line)
        elif self._contents is None:
            return  # nothing of it can be judged; that was told
        elif line is None:
            self._tell("cannot be read: it was changed, or broken off")
        elif isinstance(line, EndLine):
            self._contents.end = self._opened("the end", line.document, End)
            self._ended = True
        else:
            self._place(line, self._contents)
        if not self._ended:
            self._sum.update(raw)

    def finish(self) -> Verification:
        if self._line == 0:
            self._problems.add("the export", "is empty")
        contents = self._contents
        if contents is None:
            return self._report(None)
        if not self._ended:
            self._problems.add("the export", "is cut off: it has no end")
        contents.finish(self._sum.hexdigest())
        return self._report(contents)

    def _begin(self, line: Line | None) -> None:
        if not isinstance(line, HeaderLine):
            self._tell("is not the header that an export begins with")
            return
        header = self._opened("the header", line.document, Header)
        if header is not None:
            self._contents = ExportContents(header, self._anchors, self._problems)

    def _place(self, line: Line, contents: ExportContents) -> None:
        if not contents.is_next(line):
            self._tell("is not in its place")
        if isinstance(line, CheckpointLine):
            where = f"line {self._line}, a checkpoint,"
            checkpoint = self._opened(where, line.document, Checkpoint)
            if checkpoint is not None:
                contents.checkpoints.take(checkpoint)
        elif isinstance(line, EntryLine):
            contents.take(line)

    def _opened(self, where: str, document: SignedDocument, kind: type[S]) -> S | None:
        try:
            return open_signed(document, kind, self._key)
        except NotSigned as why:
            self._problems.add(where, str(why))
            return None

    def _report(self, contents: ExportContents | None) -> Verification:
        report = Verification(
            intact=not self._problems,
            problems=self._problems.listed,
            unlisted=self._problems.unlisted,
            installation=installation_id(self._key),
        )
        return report if contents is None else contents.told(report)

    def _tell(self, what: str) -> None:
        self._problems.add(f"line {self._line}", what)


def _line(raw: bytes) -> Line | None:
    try:
        return decoded(raw)
    except (ValueError, RecursionError):
        return None
