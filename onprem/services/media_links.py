"""Signed links: who may PUT or GET which media key, until when. A PUT is served once.

A link is its own permission; it carries the API key that asked for it, for the access log.
"""

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
    key_id: str
    """The API key that it was made for."""


class LinkSigner:
    """Makes and checks tokens; needs no storage until an upload link is used."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def sign(self, method: Method, project_id: str, key: str, *, key_id: str, now: float) -> str:
        """A URL-safe token for `method` on the media key `key`."""
        expires_at, nonce = now + LIFETIME, secrets.token_bytes(16)
        link = MediaLink(method, project_id, key, expires_at, nonce, key_id)
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
