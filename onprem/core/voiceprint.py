"""A voiceprint: one speaker's vector as text that only this installation can have made.

    1 byte    format version
    1 byte    n, length of the model's id
    n bytes   id of the embedding model, UTF-8
    32 bytes  digest of that model
    2 bytes   d, dimension of the vector
    4 d bytes the vector, float32
    32 bytes  HMAC-SHA256 of all before it

in base64, numbers little-endian. It is opaque to clients, who keep it: the server does not.
"""

import base64
import binascii
import hmac
import math
import struct
from collections.abc import Iterable

import msgspec

from onprem.core.speech import ModelRef

VERSION = 1
KEY_BYTES = 32

_DIGEST_BYTES = 32
_MAC_BYTES = 32
_HEAD = struct.Struct("<BB")
_DIMENSION = struct.Struct("<H")


class Voiceprint(msgspec.Struct, frozen=True):
    """`vector` has length 1 and was made by `model`: it compares with vectors of that only."""

    model: ModelRef
    vector: list[float]


class VoiceprintUnusable(ValueError):
    """Why a text is no voiceprint of ours, as a sentence without anything of the text."""


def seal(print_: Voiceprint, key: bytes) -> str:
    """The text that a client keeps, under the installation's voiceprint key."""
    name = print_.model.id.encode()
    body = (
        _HEAD.pack(VERSION, len(name))
        + name
        + bytes.fromhex(print_.model.digest)
        + _DIMENSION.pack(len(print_.vector))
        + struct.pack(f"<{len(print_.vector)}f", *print_.vector)
    )
    return base64.b64encode(body + _mac(body, key)).decode()


def unseal(text: str, keys: Iterable[bytes]) -> Voiceprint:
    """What `seal` made under one of `keys`.

    Raises:
        VoiceprintUnusable: it is damaged, of another version, or made under no such key.
    """
    version, body, mac = _parts(text)
    if version != VERSION:
        raise VoiceprintUnusable(f"It has format version {version}; this server reads {VERSION}")
    # Every key is tried, whichever fits: how long it takes tells nothing.
    if not any([hmac.compare_digest(_mac(body, key), mac) for key in keys]):
        raise VoiceprintUnusable("It is damaged, or was made by another installation")
    return _read(body)


def read_sealed(text: str) -> Voiceprint:
    """What `seal` made, of a text that `unseal` took before."""
    return _read(_parts(text)[1])


def _parts(text: str) -> tuple[int, bytes, bytes]:
    """Version, all that the MAC covers, and the MAC."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise VoiceprintUnusable("It is not base64") from None
    if len(raw) < _HEAD.size + _MAC_BYTES:
        raise VoiceprintUnusable("It is too short")
    return raw[0], raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]


def _read(body: bytes) -> Voiceprint:
    _, name_length = _HEAD.unpack_from(body)
    digest_at = _HEAD.size + name_length
    dimension_at = digest_at + _DIGEST_BYTES
    try:
        name = body[_HEAD.size : digest_at].decode()
        (dimension,) = _DIMENSION.unpack_from(body, dimension_at)
        vector = struct.unpack(f"<{dimension}f", body[dimension_at + _DIMENSION.size :])
    except (struct.error, UnicodeDecodeError):
        raise VoiceprintUnusable("It is damaged") from None
    length = math.hypot(*vector)
    if not math.isfinite(length) or length == 0:
        raise VoiceprintUnusable("It holds no voice")
    digest = body[digest_at:dimension_at].hex()
    return Voiceprint(ModelRef(name, digest), [value / length for value in vector])


def _mac(body: bytes, key: bytes) -> bytes:
    return hmac.digest(key, body, "sha256")
