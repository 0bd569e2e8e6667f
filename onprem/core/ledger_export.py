"""An export of both chains: JSON lines that are verified without the installation.

In this order: a header, all checkpoints, the entries of the ledger, those of the access log, an
end. Header and end are signed. Each line is the one encoding of what it says, so that no byte can
be changed without changing what it says.
"""

import msgspec

from onprem.core.chain import Entry
from onprem.core.checkpoint import ChainTip, Digest
from onprem.core.ledger import ChainName
from onprem.core.signed import SignedDocument, Statement
from onprem.stamp import Stamp


class Extent(msgspec.Struct, frozen=True):
    """What is there of a chain: the entries behind `after`, up to `last`."""

    after: ChainTip
    last: ChainTip


class Header(
    Statement, frozen=True, kw_only=True, tag_field="format", tag="onprem-ledger-export/1"
):
    """`since`: older entries were left out, as whoever asked for it wanted; None: none were.

    `checkpoints` are the numbers of the first and the last one; None: there is none. Times are
    seconds; `at` is retention time: the chains are told as they stood then. `wall` is what the
    machine's clock showed; None: `at` lies back, and the clock was not looked at.
    """

    at: float
    wall: float | None
    since: float | None
    ledger: Extent
    access_log: Extent
    checkpoints: tuple[int, int] | None


class End(
    Statement, frozen=True, kw_only=True, tag_field="format", tag="onprem-ledger-export-end/1"
):
    """Where both chains stand at the end. `sha256` is that of all lines before."""

    at: float
    wall: float | None
    ledger: ChainTip
    access_log: ChainTip
    sha256: str


class HeaderLine(msgspec.Struct, frozen=True, tag_field="line", tag="header"):
    document: SignedDocument


class CheckpointLine(msgspec.Struct, frozen=True, tag_field="line", tag="checkpoint"):
    document: SignedDocument


class EntryLine(msgspec.Struct, frozen=True, tag_field="line", tag="entry", rename="camel"):
    """One entry of a chain. `body` is exactly what was chained."""

    chain: ChainName
    seq: int
    at: float
    wall: float
    boot_id: str
    synchronised: bool
    kind: str
    job_id: str | None
    body: msgspec.Raw
    digest: Digest

    @property
    def stamp(self) -> Stamp:
        return Stamp(self.at, self.wall, self.boot_id, self.synchronised)


class EndLine(msgspec.Struct, frozen=True, tag_field="line", tag="end"):
    document: SignedDocument


Line = HeaderLine | CheckpointLine | EntryLine | EndLine


def entry_line(chain: ChainName, entry: Entry) -> EntryLine:
    stamp = entry.stamp
    return EntryLine(
        chain,
        entry.seq,
        stamp.at,
        stamp.wall,
        stamp.boot_id,
        stamp.synchronised,
        entry.kind,
        entry.job_id,
        msgspec.Raw(entry.body.encode()),
        entry.digest.hex(),
    )


def encoded(line: Line) -> bytes:
    """With the newline that ends it."""
    return msgspec.json.encode(line) + b"\n"


_decoder: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)


def decoded(raw: bytes) -> Line:
    """Raises ValueError: these bytes are not what `encoded` gives."""
    raw.decode()  # msgspec does not look into what stays raw
    line = _decoder.decode(raw)
    if encoded(line) != raw:
        raise ValueError("this line has another encoding than its own")
    return line
