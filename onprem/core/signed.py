"""Signed documents: what an auditor checks with nothing but the installation's public key."""

import hashlib
from typing import TypeVar

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from onprem.core.chain import canonical


class Statement(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """Base of what is signed. Each kind has a `tag`, its `format`, and passes for no other."""

    installation: str
    """`installation_id` of the key that signs."""


class SignedDocument(msgspec.Struct, frozen=True, rename="camel"):
    """Ed25519 over the canonical JSON of `body`. Key and signature are base64 in JSON."""

    body: msgspec.Raw
    public_key: bytes
    signature: bytes

    def encoded(self) -> bytes:
        """The one line that it is written as."""
        return msgspec.json.encode(self)


class NotSigned(Exception):
    """It does not say what was signed. The text says why, for an auditor."""


S = TypeVar("S", bound=Statement)


def open_signed(document: SignedDocument, kind: type[S], public_key: bytes) -> S:
    """What the installation of that key said.

    The key that the document brings proves nothing by itself: it must be `public_key`.

    Raises:
        NotSigned: it is of another kind, or another installation, or was changed.
    """
    if document.public_key != public_key:
        raise NotSigned(
            f"was signed by the installation {installation_id(document.public_key)}, not by"
            f" {installation_id(public_key)}, whose public key was given"
        )
    try:
        said = msgspec.json.decode(document.body, type=dict[str, object])
        key = Ed25519PublicKey.from_public_bytes(public_key)
        key.verify(document.signature, canonical(said))
        statement = msgspec.convert(said, kind)
    except (InvalidSignature, ValueError):  # msgspec's errors are ValueErrors too
        raise NotSigned("was changed after it was signed") from None
    if said.get("format") != kind.__struct_config__.tag:
        raise NotSigned("was signed as something else")
    if statement.installation != installation_id(public_key):
        raise NotSigned("names another installation than its key")
    return statement


def installation_id(public_key: bytes) -> str:
    """The short name of an installation, which nobody else can bear."""
    return hashlib.sha256(public_key).hexdigest()[:32]
