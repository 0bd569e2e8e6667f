"""How webhooks are signed: as the pyannoteAI cloud does it, and by Standard Webhooks as well."""

import base64
import hashlib
import hmac
from collections.abc import Sequence

from onprem.core.delivery import FailureReason

SECRET_BYTES = 32
_PREFIX = "whsec_"


def secret_text(random: bytes) -> str:
    """The secret as it is shown and stored: `whsec_` and base64."""
    return _PREFIX + base64.b64encode(random).decode()


def signature_headers(
    body: bytes, *, delivery_id: str, timestamp: int, secrets: Sequence[str]
) -> dict[str, str]:
    """The headers that prove where `body` comes from and when it was sent.

    `secrets` are those that live, the newest first: Standard Webhooks has room for a signature by
    each, the header of the contract for one. So that of the one before stands in a header of its
    own while both live.

    Args:
        timestamp: seconds since the Unix epoch.
    """
    headers = {
        "X-Request-Timestamp": str(timestamp),
        "X-Signature": _of_the_contract(secrets[0], timestamp, body),
        "webhook-id": delivery_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(
            _standard(secret, delivery_id, timestamp, body) for secret in secrets
        ),
    }
    if len(secrets) > 1:
        headers["X-Signature-Previous"] = _of_the_contract(secrets[1], timestamp, body)
    return headers


def retry_headers(failed: int, last: FailureReason | None) -> dict[str, str]:
    """Those of a try after `failed` ones, of which the last failed for that reason."""
    if last is None:
        return {}
    return {"x-retry-num": str(failed), "x-retry-reason": last.value}


def _of_the_contract(secret: str, timestamp: int, body: bytes) -> str:
    """Its key is the secret as a text, prefix included."""
    mac = hmac.new(secret.encode(), b"v0:%d:" % timestamp, hashlib.sha256)
    mac.update(body)
    return mac.hexdigest()


def _standard(secret: str, delivery_id: str, timestamp: int, body: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    mac = hmac.new(key, f"{delivery_id}.{timestamp}.".encode(), hashlib.sha256)
    mac.update(body)
    return "v1," + base64.b64encode(mac.digest()).decode()
