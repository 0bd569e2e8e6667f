"""Backups: what one says of itself, and how it is told from one that somebody else made."""

import hashlib
import hmac

import msgspec

from onprem.core.chain import canonical
from onprem.core.checkpoint import ChainTip

MANIFEST = "manifest.json"
CONFIGURATION = "onprem.toml"
STORE = "store.sqlite3"
CHECKSUM = "sha256"
"""The members of a backup, in this order."""


class Part(msgspec.Struct, frozen=True):
    """A member of the archive; `sha256` is hexadecimal."""

    name: str
    bytes: int
    sha256: str


class Manifest(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    rename="camel",
    forbid_unknown_fields=True,
    tag_field="format",
    tag="onprem-backup/1",
):
    """`schema` is the version of the database's, `counts` are its rows by table.

    `created_at` is retention time, `wall` what the machine's clock showed; both in seconds since
    the epoch. `region` is where the node stood. `ledger` and `access_log`: where the chains stood.
    """

    onprem: str
    installation: str
    region: str
    schema: int
    created_at: float
    wall: float
    ledger: ChainTip
    access_log: ChainTip
    counts: dict[str, int]
    parts: list[Part]

    def part(self, name: str) -> Part | None:
        return next((part for part in self.parts if part.name == name), None)


class SealedManifest(msgspec.Struct, frozen=True):
    """`mac`: HMAC-SHA256 over the canonical JSON of `body`, hexadecimal.

    Its key is derived from the master key: nobody without that can make a backup, or change one,
    that a restore takes. The parts are sealed with it, by their digests.
    """

    body: Manifest
    mac: str

    def encoded(self) -> bytes:
        return canonical(self) + b"\n"

    def made_with(self, key: bytes) -> bool:
        return hmac.compare_digest(self.mac, _mac(self.body, key))


def sealed(manifest: Manifest, key: bytes) -> SealedManifest:
    """`key`: 32 bytes."""
    return SealedManifest(manifest, _mac(manifest, key))


def decoded(raw: bytes) -> SealedManifest:
    """Raises ValueError: these bytes are not what `SealedManifest.encoded` gives."""
    found = msgspec.json.decode(raw, type=SealedManifest)
    if found.encoded() != raw:
        raise ValueError("another encoding than its own")
    return found


def _mac(manifest: Manifest, key: bytes) -> str:
    return hmac.new(key, canonical(manifest), hashlib.sha256).hexdigest()
