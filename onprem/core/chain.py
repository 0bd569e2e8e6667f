"""Hash chains: what the ledger and the access log are made of.

Every entry carries the digest of the one before it, so that a removed, swapped or edited entry
breaks the chain for everyone who holds a later digest.
"""

import hashlib
from typing import Any

import msgspec

from onprem.stamp import Stamp

GENESIS = bytes(32)
"""The digest before the first entry."""


class Entry(msgspec.Struct, frozen=True):
    """One entry; `body` is canonical JSON. `stamp` says when it was written, by which clock."""

    seq: int
    stamp: Stamp
    kind: str
    job_id: str | None
    body: str
    digest: bytes

    def follows(self, previous: bytes) -> bool:
        """Whether its digest is that of this very entry behind `previous`."""
        found = chain_digest(previous, self.seq, self.stamp, self.kind, self.job_id, self.body)
        return found == self.digest


def chain_digest(
    previous: bytes, seq: int, stamp: Stamp, kind: str, job_id: str | None, body: str
) -> bytes:
    """SHA-256 over the previous digest and all that an entry says."""
    when = [stamp.at, stamp.wall, stamp.boot_id, stamp.synchronised]
    said = msgspec.json.encode([previous.hex(), seq, when, kind, job_id, body])
    return hashlib.sha256(said).digest()


def canonical(body: Any) -> bytes:
    """The one JSON form of what is chained or signed: sorted keys, no spaces."""
    return msgspec.json.encode(body, order="sorted")
