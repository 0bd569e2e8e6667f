"""Signed links: who may PUT or GET which media key, until when. A PUT is served once."""

import base64
import binascii
import hashlib
import hmac
import secrets
from typing import Literal, TypeAlias

import msgspec

LIFETIME = 3600.0
"""Seconds that a link can be used."""

_MAC_BYTES = 32

Method: TypeAlias = Literal["PUT", "GET"]


class MediaLink(msgspec.Struct, frozen=True, array_like=True):
    """What the link's token carries, authenticated by an HMAC."""

    method: str
    project_id: str
    key: str
    expires_at: float
    nonce: bytes


class LinkSigner:
    """Makes and checks tokens; needs no storage until an upload link is used."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def sign(self, method: Method, project_id: str, key: str, *, now: float) -> str:
        """A URL-safe token for `method` on `key`."""
        link = MediaLink(method, project_id, key, now + LIFETIME, secrets.token_bytes(16))
        payload = msgspec.msgpack.encode(link)
        return _text(self._mac(payload) + payload)

    def open(self, method: Method, token: str, *, now: float) -> MediaLink | None:
        """None: it is forged, damaged, expired, or meant for another method."""
        try:
            raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except (binascii.Error, ValueError):
            return None
        if _text(raw) != token:  # base64 has many spellings of the same bytes
            return None
        mac, payload = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(payload)):
            return None
        link = msgspec.msgpack.decode(payload, type=MediaLink)
        if link.method != method or link.expires_at <= now:
            return None
        return link

    def _mac(self, payload: bytes) -> bytes:
        return hmac.digest(self._secret, payload, hashlib.sha256)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
