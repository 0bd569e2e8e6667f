"""Verifying an evidence pack: needs the file and the public key, and nothing else.

What it shows: each byte is the one that the installation signed; the ledger in it is whole and
covers the interval; counts and canary results are those of that ledger. Only anchors show that
the installation itself did not change its chains before it signed.
"""

import hashlib
from collections.abc import Iterable

import msgspec

from onprem.core.anchors import AnchorFile
from onprem.core.chain import canonical
from onprem.core.evidence import (
    BLOCK,
    CANARY,
    END,
    LEDGER,
    MANIFEST,
    SUMMARY,
    Evidence,
    Part,
    made_at,
    member_head,
    padding,
)
from onprem.core.evidence_reading import CutOff, Lines, PackReader, head_in
from onprem.core.evidence_summary import Tally
from onprem.core.ledger_verification import MAX_LINE, LedgerVerification
from onprem.core.signed import NotSigned, SignedDocument, installation_id, open_signed
from onprem.core.verification_report import Problem, Problems, Verification

MAX_MANIFEST = 1 << 20
"""Bytes; it lists a dozen parts."""


class EvidenceReport(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The result. `unlisted` counts the problems beyond those that are listed.

    What could not be read is absent. `parts`: names of those that are as they were signed.
    """

    intact: bool
    problems: list[Problem]
    unlisted: int
    installation: str
    manifest: Evidence | None = None
    parts: list[str] = []
    ledger: Verification | None = None
    canaries: dict[str, int] | None = None


def verify(
    chunks: Iterable[bytes], public_key: bytes, anchors: AnchorFile | None = None
) -> EvidenceReport:
    """`chunks`: the file, in pieces of any length."""
    return _Verification(PackReader(chunks), public_key, anchors).report()


class _Verification:
    def __init__(self, reader: PackReader, public_key: bytes, anchors: AnchorFile | None) -> None:
        self._reader = reader
        self._key = public_key
        self._anchors = anchors
        self._problems = Problems()
        self._sound: list[str] = []
        self._ledger: Verification | None = None
        self._contents: _LedgerPart | None = None

    def report(self) -> EvidenceReport:
        manifest = None
        try:
            manifest = self._manifest()
            if manifest is not None:
                self._read_parts(manifest)
        except CutOff:
            self._problems.add("the pack", "is cut off")
        if manifest is not None:
            self._compare(manifest)
        return EvidenceReport(
            intact=not self._problems,
            problems=self._problems.listed,
            unlisted=self._problems.unlisted,
            installation=installation_id(self._key),
            manifest=manifest,
            parts=self._sound,
            ledger=self._ledger,
            canaries=None if self._contents is None else self._contents.tally.verdicts,
        )

    def _manifest(self) -> Evidence | None:
        """Raises CutOff."""
        block = self._reader.exactly(BLOCK)
        head = head_in(block)
        if head is None or head.name != MANIFEST or head.size > MAX_MANIFEST:
            self._problems.add("the pack", "does not begin with a manifest")
            return None
        raw = self._reader.exactly(head.size)
        try:
            document = msgspec.json.decode(raw, type=SignedDocument)
            manifest = open_signed(document, Evidence, self._key)
        except NotSigned as why:
            self._problems.add(MANIFEST, str(why))
            return None
        except (ValueError, RecursionError):
            self._problems.add(MANIFEST, "cannot be read")
            return None
        encoded = document.encoded() + b"\n" == raw
        if (
            not encoded
            or canonical(manifest) != bytes(document.body)
            or block != member_head(MANIFEST, len(raw), made_at(manifest.until))
        ):
            self._problems.add(MANIFEST, "is not, byte for byte, the one that was signed")
        self._close(MANIFEST, head.size)
        return manifest

    def _read_parts(self, manifest: Evidence) -> None:
        """Raises CutOff."""
        ahead = [part.name for part in manifest.parts]
        for part in manifest.parts:
            ahead.remove(part.name)
            if self._find(part, ahead, made_at(manifest.until)):
                self._read(part)
        while (block := self._reader.exactly(BLOCK)) != bytes(BLOCK) and self._strange(block):
            pass
        if block + self._reader.remainder() != END:
            self._problems.add("the pack", "goes on behind its parts, or does not end as it should")

    def _find(self, part: Part, ahead: list[str], moment: int) -> bool:
        """Go to where the content of `part` begins; False: it is not there."""
        expected = member_head(part.name, part.bytes, moment)
        while (block := self._reader.exactly(BLOCK)) != expected:
            head = head_in(block)
            if head is not None and head.name == part.name and head.size != part.bytes:
                what = f"has {head.size} bytes, and {part.bytes} were signed"
                self._problems.add(part.name, what)
                self._reader.skip(head.size)
                return False
            if (
                head is None
                and block != bytes(BLOCK)
                or head is not None
                and head.name == part.name
            ):
                self._problems.add(part.name, "has another header than the one that was signed")
                return True
            if head is None or head.name in ahead:
                self._problems.add(part.name, "is missing")
                self._reader.put_back(block)
                return False
            self._strange(block)
        return True

    def _strange(self, block: bytes) -> bool:
        """Pass by a member that has no place here; False: it is none."""
        head = head_in(block)
        if head is None:
            return False
        self._problems.add(head.name, "was added, or is not in its place")
        self._reader.skip(head.size)
        return True

    def _read(self, part: Part) -> None:
        contents = _LedgerPart(self._key, self._anchors) if part.name == LEDGER else None
        digest = hashlib.sha256()
        for piece in self._reader.pieces(part.bytes):
            digest.update(piece)
            if contents is not None:
                contents.lines.take(piece)
        self._close(part.name, part.bytes)
        if digest.hexdigest() == part.sha256:
            self._sound.append(part.name)
        else:
            self._problems.add(part.name, "was changed after it was signed")
        if contents is not None:
            self._contents = contents
            self._ledger = contents.finish()

    def _close(self, name: str, size: int) -> None:
        expected = padding(size)
        if self._reader.exactly(len(expected)) != expected:
            self._problems.add(name, "is followed by bytes that were not signed")

    def _compare(self, manifest: Evidence) -> None:
        """What the ledger says with what the other parts say."""
        contents, ledger = self._contents, self._ledger
        if contents is None or ledger is None:
            if LEDGER not in {part.name for part in manifest.parts}:
                self._problems.add(LEDGER, "is not in the pack")
            return
        for problem in ledger.problems:
            self._problems.add(f"{LEDGER}: {problem.where}", problem.what)
        if ledger.intact and (ledger.since, ledger.exported_at) != (manifest.since, manifest.until):
            self._problems.add(LEDGER, "is that of another interval")
        if not contents.counted:
            self._problems.add(LEDGER, "has entries that cannot be counted")
            return
        digests = {part.name: part.sha256 for part in manifest.parts}
        made = {SUMMARY: contents.tally.summary(), CANARY: contents.tally.canaries()}
        for name, content in made.items():
            if ledger.intact and digests.get(name) != hashlib.sha256(content).hexdigest():
                self._problems.add(name, f"is not that of {LEDGER}")


class _LedgerPart:
    """`lines` of the ledger are verified, and counted; `counted`: all of them could be."""

    def __init__(self, key: bytes, anchors: AnchorFile | None) -> None:
        self._verification = LedgerVerification(key, anchors)
        self.tally = Tally()
        self.counted = True
        self.lines = Lines(self._take, most=MAX_LINE)

    def finish(self) -> Verification:
        self.lines.finish()
        return self._verification.finish()

    def _take(self, line: bytes) -> None:
        self._verification.take(line)
        try:
            self.tally.take(line)
        except (ValueError, KeyError, TypeError, RecursionError):
            self.counted = False
