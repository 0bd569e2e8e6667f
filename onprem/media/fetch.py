"""Fetching the recording of a job from its URL into a worker copy.

Nothing of the URL but its host ever gets into an error: paths and queries hold the secrets of
presigned links.
"""

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path

import httpcore
import httpx
from msgspec import Struct

from onprem.errors import AudioTooLarge, FetchFailed, FetchRefused
from onprem.media.addresses import AllowRule
from onprem.media.fetch_faults import explained
from onprem.media.guarded_transport import GuardedBackend, Resolve, guarded_pool, resolve
from onprem.media.pace import Pace
from onprem.media.urls import check_url, core_url, redirected
from onprem.media.worker_copy import WorkerCopy

__all__ = ["FetchPolicy", "check_url", "fetch"]

_REDIRECTS = (301, 302, 303, 307, 308)
_BODIES = (200, 203)


class FetchPolicy(Struct, frozen=True, kw_only=True):
    """What a fetch may reach and take. Times are seconds, sizes bytes."""

    allow: tuple[AllowRule, ...] = ()
    max_bytes: int = 1 << 30
    ca_file: Path | None = None
    """PEM file with the authorities to trust, instead of the system's."""
    total_seconds: float = 3600.0
    connect_seconds: float = 5.0
    read_seconds: float = 30.0
    least_rate: int = 50_000
    """Bytes a second, as the mean over each window; a slower source is given up."""
    window_seconds: float = 30.0
    max_redirects: int = 2
    on_denied: Callable[[], None] | None = None
    """Called for every connection that the guard refuses."""
    resolve: Resolve = resolve


async def fetch(url: str, into: WorkerCopy, *, policy: FetchPolicy) -> None:
    """Write what `url` answers into `into`, and seal it.

    Raises:
        FetchRefused: the URL's shape or its destination is not allowed.
        FetchFailed: the source did not answer as it should, or not fast enough.
        AudioTooLarge: it is larger than `policy.max_bytes`.
        WorkerMemoryExceeded: it is larger than the lease of `into`.
    """
    target = _acceptable(url)
    trust = await asyncio.to_thread(_trust, policy.ca_file, target.host)
    backend = GuardedBackend(policy.allow, on_denied=policy.on_denied, resolve=policy.resolve)
    async with guarded_pool(backend, trust) as pool:
        with explained(target.host, policy.total_seconds):
            async with asyncio.timeout(policy.total_seconds):
                await _follow(pool, target, into, policy)
    into.seal()


async def _follow(
    pool: httpcore.AsyncConnectionPool, target: httpx.URL, into: WorkerCopy, policy: FetchPolicy
) -> None:
    for _ in range(policy.max_redirects + 1):
        with explained(target.host, policy.total_seconds):
            location = await _visit(pool, target, into, policy)
        if location is None:
            return
        target = _redirected(target, location)
    raise FetchFailed(host=target.host, why=f"it redirects more than {policy.max_redirects} times")


async def _visit(
    pool: httpcore.AsyncConnectionPool, target: httpx.URL, into: WorkerCopy, policy: FetchPolicy
) -> bytes | None:
    """One request: the body goes into `into`, or the place of a redirect is returned."""
    async with pool.stream(
        "GET", core_url(target), headers=_headers(target), extensions={"timeout": _limits(policy)}
    ) as response:
        headers = {name.lower(): value for name, value in response.headers}
        if response.status in _REDIRECTS and b"location" in headers:
            return headers[b"location"]
        if response.status not in _BODIES:
            raise FetchFailed(host=target.host, why=f"it answered {response.status}")
        if headers.get(b"content-encoding", b"identity").strip().lower() not in (b"", b"identity"):
            # 19 kB of gzip become 20 MB; a recording needs none.
            raise FetchFailed(host=target.host, why="it sent a Content-Encoding, asked for none")
        _check_length(headers.get(b"content-length"), into, policy)
        await _receive(response, into, policy)
        return None


async def _receive(response: httpcore.Response, into: WorkerCopy, policy: FetchPolicy) -> None:
    pace = Pace(policy.least_rate, policy.window_seconds)
    received = 0
    async for chunk in response.aiter_stream():
        received += len(chunk)
        if received > policy.max_bytes:
            raise AudioTooLarge(limit=policy.max_bytes)
        into.write(chunk)
        pace.count(len(chunk))


def _check_length(declared: bytes | None, into: WorkerCopy, policy: FetchPolicy) -> None:
    """Refuse at once what says that it is too large; what lies is counted."""
    if declared is None or not declared.isdigit():
        return
    if int(declared) > policy.max_bytes:
        raise AudioTooLarge(limit=policy.max_bytes)
    into.require_room(int(declared))


def _acceptable(url: str) -> httpx.URL:
    fault = check_url(url)
    if fault is not None:
        raise FetchRefused(destination="this URL", why=fault.rstrip("."))
    return httpx.URL(url)


def _redirected(source: httpx.URL, location: bytes) -> httpx.URL:
    joined = redirected(source, location)
    if not joined:
        raise FetchFailed(host=source.host, why="it redirects to what is no URL")
    target = _acceptable(joined)
    if source.scheme == "https" and target.scheme == "http":
        raise FetchRefused(destination=target.host, why="it is a redirect from https to http")
    return target


def _headers(target: httpx.URL) -> list[tuple[bytes, bytes]]:
    return [
        (b"Host", target.netloc),
        (b"User-Agent", b"onprem"),
        (b"Accept", b"*/*"),
        (b"Accept-Encoding", b"identity"),
    ]


def _limits(policy: FetchPolicy) -> dict[str, float]:
    connect, read = policy.connect_seconds, policy.read_seconds
    return {"connect": connect, "read": read, "write": read, "pool": connect}


def _trust(ca_file: Path | None, host: str) -> ssl.SSLContext:
    """The operator's authorities, else the system's. There is no way to trust nobody's."""
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError:
        why = "fetch.ca_file cannot be read as a file of PEM certificates"
        raise FetchFailed(host=host, why=why) from None
