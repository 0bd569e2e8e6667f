"""An evidence pack: one signed file that shows an auditor what was promised, done and deleted.

It is a tar archive: a signed manifest first, then the parts that it lists, in its order. What a
part says is either about the interval, and the same whenever the pack is made, or about the moment
at which it was made.
"""

import enum
import tarfile
from datetime import datetime

import msgspec

from onprem.core.checkpoint import Digest
from onprem.core.signed import Statement

MANIFEST = "manifest.json"
README = "README.txt"
LEDGER = "ledger.jsonl"
SUMMARY = "summary.json"
CANARY = "canary.json"

BLOCK = tarfile.BLOCKSIZE
END = bytes(2 * BLOCK)
"""What the archive ends with."""


class About(enum.StrEnum):
    INTERVAL = "interval"
    MOMENT = "moment"


class Part(msgspec.Struct, frozen=True):
    """A member of the archive beside the manifest."""

    name: str
    bytes: int
    sha256: Digest
    about: About


class Evidence(Statement, frozen=True, kw_only=True, tag_field="format", tag="onprem-evidence/1"):
    """The manifest. `since` (`from` in JSON) and `until` (`to`) belong to the interval.

    `format` stands for how the parts are encoded, too: what is in `summary.json` and `canary.json`
    is made again from the ledger by whoever verifies.
    """

    onprem: str
    created_at: datetime
    since: datetime = msgspec.field(name="from")
    until: datetime = msgspec.field(name="to")
    access_log: bool
    parts: list[Part]


def member_head(name: str, size: int, made_at: int) -> bytes:
    """What stands before a member of the archive: the same bytes for the same facts.

    `made_at`: seconds since the epoch.
    """
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = size, made_at, 0o600
    return info.tobuf(tarfile.GNU_FORMAT)


def made_at(until: datetime) -> int:
    """What all members bear: the end of the interval, in seconds since the epoch."""
    return int(until.timestamp())


def padding(size: int) -> bytes:
    """What stands behind a member of that size."""
    return bytes(-size % BLOCK)


def encoded(content: object) -> bytes:
    """A part in JSON, for people and programs: the same bytes for the same content."""
    raw = msgspec.json.encode(content, order="deterministic")
    return msgspec.json.format(raw, indent=2) + b"\n"
