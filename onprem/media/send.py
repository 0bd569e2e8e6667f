"""Sending a result to its owner: one guarded POST or PUT, and whether a 2xx came back.

Nothing of the URL but its host ever gets into an error: paths and queries hold secrets.
"""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path

import httpcore
import httpx
from msgspec import Struct

from onprem.core.delivery import FailureReason
from onprem.media.addresses import AllowRule, may_be_named
from onprem.media.fetch_faults import cause_of
from onprem.media.guarded_transport import (
    DestinationDenied,
    GuardedBackend,
    Resolve,
    guarded_pool,
    resolve,
)
from onprem.media.urls import check_url, core_url, redirected

_REDIRECTS = (301, 302, 307, 308)
"""Those that say where the same request belongs. 303 asks for another, which delivers nothing."""

_PORTS = {"http": 80, "https": 443}


class SendPolicy(Struct, frozen=True, kw_only=True):
    """What may be sent to, and how long it may take. Times are seconds."""

    allow: tuple[AllowRule, ...] = ()
    ca_file: Path | None = None
    """PEM file with the authorities to trust, instead of the system's."""
    answer_seconds: float = 10.0
    """From the first try to connect to the answer, redirects included."""
    least_rate: int = 50_000
    """Bytes a second that a receiver must take: a long body has so much more time."""
    max_redirects: int = 2
    on_denied: Callable[[], None] | None = None
    """Called for every connection that the guard refuses."""
    resolve: Resolve = resolve


class SendFailed(Exception):
    """It was not delivered. `why` is for the log and names nothing but hosts."""

    def __init__(self, reason: FailureReason, why: str, status: int | None = None) -> None:
        self.reason = reason
        self.why = why
        self.status = status
        super().__init__(f"{reason}: {why}")


def destination_fault(url: str, rules: tuple[AllowRule, ...]) -> str | None:
    """A sentence that says why nothing can be sent to this URL, or None.

    Where it leads is judged when it is connected to. The sentence never quotes the URL.
    """
    if problem := check_url(url):
        return problem
    target = httpx.URL(url)
    if target.scheme == "http" and not may_be_named(target.host, _port(target), rules):
        return "The URL must start with https://; plain http needs an entry in webhooks.allow."
    return None


async def send(
    method: str, url: str, headers: Mapping[str, str], body: bytes, *, policy: SendPolicy
) -> int:
    """Returns the status of a 2xx.

    Redirects are followed with the same method, headers and body, but never from https to http.

    Raises:
        SendFailed: anything else.
    """
    target, status = httpx.URL(url), 0
    seconds = policy.answer_seconds + len(body) / policy.least_rate
    trust = await asyncio.to_thread(_trust, policy.ca_file)
    try:
        async with asyncio.timeout(seconds):
            for _ in range(policy.max_redirects + 1):
                status, location = await _visit(method, target, headers, body, trust, policy)
                if 200 <= status < 300:
                    return status
                if status not in _REDIRECTS or not location:
                    why = f"{target.host} answered {status}"
                    raise SendFailed(FailureReason.HTTP_ERROR, why, status)
                target = _redirect(target, location, status, policy)
    except TimeoutError:
        why = f"{target.host} did not answer in time"
        raise SendFailed(FailureReason.HTTP_TIMEOUT, why) from None
    why = f"{target.host} is behind more than {policy.max_redirects} redirects"
    raise SendFailed(FailureReason.TOO_MANY_REDIRECTS, why, status)


async def _visit(
    method: str,
    target: httpx.URL,
    headers: Mapping[str, str],
    body: bytes,
    trust: ssl.SSLContext,
    policy: SendPolicy,
) -> tuple[int, bytes]:
    """One request: the status of its answer, and where that says that it belongs."""
    backend = GuardedBackend(
        policy.allow,
        on_denied=policy.on_denied,
        resolve=policy.resolve,
        named_only=target.scheme == "http",
    )
    sent = [(b"Host", target.netloc), (b"Content-Length", b"%d" % len(body))]
    sent += [(name.encode(), value.encode()) for name, value in headers.items()]
    try:
        async with guarded_pool(backend, trust) as pool:
            async with pool.stream(
                method, core_url(target), headers=sent, content=body
            ) as response:
                # The body of the answer is nobody's business: it is not read.
                found = {name.lower(): value for name, value in response.headers}
                return response.status, found.get(b"location", b"")
    except DestinationDenied as denied:
        why = f"{denied.host}: {denied.why}; an operator can allow it with webhooks.allow"
        raise SendFailed(FailureReason.CONNECTION_FAILED, why) from None
    except (httpcore.NetworkError, httpcore.RemoteProtocolError) as error:
        raise _explained(target.host, error) from None
    except httpcore.LocalProtocolError:
        why = f"{target.host} cannot be sent this"
        raise SendFailed(FailureReason.UNKNOWN_ERROR, why) from None


def _redirect(source: httpx.URL, location: bytes, status: int, policy: SendPolicy) -> httpx.URL:
    url = redirected(source, location)
    if destination_fault(url, policy.allow):
        why = f"{source.host} redirects to where nothing can be sent"
        raise SendFailed(FailureReason.CONNECTION_FAILED, why, status)
    target = httpx.URL(url)
    if source.scheme == "https" and target.scheme == "http":
        why = f"{source.host} redirects from https to http"
        raise SendFailed(FailureReason.CONNECTION_FAILED, why, status)
    return target


def _explained(host: str, error: Exception) -> SendFailed:
    tls = cause_of(error, ssl.SSLError)
    if tls is None:
        return SendFailed(FailureReason.CONNECTION_FAILED, f"no connection to {host}, or it broke")
    why = f"no trusted connection to {host}"
    if isinstance(tls, ssl.SSLCertVerificationError):
        why += f": {tls.verify_message}; its authority can be named in webhooks.ca_file"
    return SendFailed(FailureReason.SSL_ERROR, why)


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    """The operator's authorities, else the system's. There is no way to trust nobody's."""
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError:
        why = "webhooks.ca_file cannot be read as a file of PEM certificates"
        raise SendFailed(FailureReason.SSL_ERROR, why) from None


def _port(target: httpx.URL) -> int:
    return target.port or _PORTS[target.scheme]
