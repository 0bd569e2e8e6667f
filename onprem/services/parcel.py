"""What goes over the wire for one try of a delivery."""

import hashlib
from collections.abc import Sequence

import msgspec

from onprem import __version__
from onprem.core.delivery import DeliveryKind, webhook_body
from onprem.core.destination import Destination
from onprem.core.formats.render import render
from onprem.core.presigned import put_headers
from onprem.core.webhook_signature import retry_headers, signature_headers
from onprem.store.deliveries import DueDelivery

_AGENT = {"User-Agent": f"onprem/{__version__}"}


class Parcel(msgspec.Struct, frozen=True):
    """A request; `digest` of its body in hexadecimal where that carries the output, else None."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes
    digest: str | None


def packed(
    due: DueDelivery,
    destination: Destination,
    output: bytes | None,
    *,
    secrets: Sequence[str],
    timestamp: int,
) -> Parcel | None:
    """Takes seconds for a day's recording: call it in a thread.

    Args:
        output: as it is stored; None where the job has none that may be told, or no more.
        secrets: those of the project that live, the newest first.

    Returns:
        None where there is nothing to deliver.

    Raises:
        FormatUnavailable: the output does not hold what the wanted format shows.
    """
    if due.delivery.kind is DeliveryKind.WEBHOOK:
        return _webhook(due, destination, output, secrets, timestamp)
    if output is None or destination.deliver is None:
        return None
    file = render(output, destination.deliver.format, job_id=due.job_id)
    url = destination.deliver.url
    headers = _AGENT | put_headers(url, file.content_type)
    return Parcel("PUT", url, headers, file.body, _digest(file.body))


def _webhook(
    due: DueDelivery,
    destination: Destination,
    output: bytes | None,
    secrets: Sequence[str],
    timestamp: int,
) -> Parcel | None:
    if destination.webhook is None:
        return None
    carried = None if destination.status_only else output
    body = webhook_body(due.job_id, due.status, carried)
    attempts = due.delivery.attempts
    headers = (
        _AGENT
        | {"Content-Type": "application/json"}
        | signature_headers(body, delivery_id=due.delivery.id, timestamp=timestamp, secrets=secrets)
        | retry_headers(len(attempts), attempts[-1].reason if attempts else None)
    )
    return Parcel(
        "POST", destination.webhook, headers, body, None if carried is None else _digest(body)
    )


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
