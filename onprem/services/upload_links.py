"""Signed upload links: who may PUT which media key, until when, once."""

import base64
import binascii
import hashlib
import hmac
import secrets

import msgspec

from onprem.errors import UploadLinkInvalid

LIFETIME = 3600.0
"""Seconds that a link can be used."""

_MAC_BYTES = 32


class UploadLink(msgspec.Struct, frozen=True, array_like=True):
    """What the link's token carries, authenticated by an HMAC."""

    method: str
    project_id: str
    key: str
    expires_at: float
    nonce: bytes


class LinkSigner:
    """Makes and checks tokens; needs no storage until a link is used."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def sign(self, project_id: str, key: str, *, now: float) -> str:
        """A URL-safe token for one PUT of `key`."""
        link = UploadLink("PUT", project_id, key, now + LIFETIME, secrets.token_bytes(16))
        payload = msgspec.msgpack.encode(link)
        return _text(self._mac(payload) + payload)

    def open(self, token: str, *, now: float) -> UploadLink:
        """Raises UploadLinkInvalid on a forged, damaged or expired token."""
        try:
            raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except (binascii.Error, ValueError):
            raise UploadLinkInvalid() from None
        if _text(raw) != token:  # base64 has many spellings of the same bytes
            raise UploadLinkInvalid()
        mac, payload = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(payload)):
            raise UploadLinkInvalid()
        link = msgspec.msgpack.decode(payload, type=UploadLink)
        if link.method != "PUT" or link.expires_at <= now:
            raise UploadLinkInvalid()
        return link

    def _mac(self, payload: bytes) -> bytes:
        return hmac.digest(self._secret, payload, hashlib.sha256)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
