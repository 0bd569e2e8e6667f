"""An entry of the ledger, for people."""

from typing import Any

import msgspec

from onprem.core.chain import Entry


class ShownEntry(msgspec.Struct, frozen=True, rename="camel"):
    """`at` is retention time in seconds, `wall` what the machine's clock showed."""

    seq: int
    at: float
    wall: float
    kind: str
    job_id: str | None
    body: dict[str, Any]
    digest: str

    @property
    def summary(self) -> str:
        """The fields that say most, such as `output deadline`."""
        names = ("act", "kind", "reason", "subject", "actor", "chain", "result")
        return " ".join(str(self.body[name]) for name in names if self.body.get(name) is not None)


def shown_entry(entry: Entry) -> ShownEntry:
    stamp, body = entry.stamp, msgspec.json.decode(entry.body)
    return ShownEntry(
        entry.seq, stamp.at, stamp.wall, entry.kind, entry.job_id, body, entry.digest.hex()
    )
