"""`Idempotency-Key`: a request that is sent twice is done once.

The record stands in the transaction of what the request made, so that a crash before the answer
loses neither; a refused request leaves none, and may be sent again. That a request is in work is
known in memory only: it does not outlive the process that works on it.
"""

import hashlib
import hmac
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from onprem.clock import Clock
from onprem.errors import IdempotencyInFlight, IdempotencyKeyReused, InvalidRequest
from onprem.faults import Fault
from onprem.services.keys import Principal
from onprem.store import idempotency
from onprem.store.database import Database, Transaction
from onprem.store.idempotency import Record

LIFETIME = 24 * 3600.0
"""Seconds that a key is remembered."""

_KEY = re.compile(r"[\x20-\x7e]{1,255}")


class Once:
    """One request with an idempotency key. `repeats`: what was done when it came first."""

    def __init__(self, project_id: str, key: bytes, request: bytes, clock: Clock) -> None:
        self.project_id = project_id
        self.key = key
        self.request = request
        self.repeats: Record | None = None
        self._clock = clock

    async def record(self, tx: Transaction, job_id: str) -> None:
        """In the transaction that stores the job."""
        record = Record(self.request, job_id)
        expires_at = self._clock.now() + LIFETIME
        await idempotency.keep(tx, self.project_id, self.key, record, expires_at=expires_at)


class Idempotency:
    """`hashing` is a key of 32 bytes, derived from the master key."""

    def __init__(self, database: Database, hashing: bytes, clock: Clock) -> None:
        self._database = database
        self._hashing = hashing
        self._clock = clock
        self._in_flight: dict[tuple[str, bytes], bytes] = {}

    @asynccontextmanager
    async def once(
        self, principal: Principal, key: str | None, path: str, body: bytes
    ) -> AsyncIterator[Once | None]:
        """Around the work on a request; None where it has no key.

        Raises:
            InvalidRequest: the key is no printable ASCII of 1 to 255 characters.
            IdempotencyKeyReused: it came with another path or body before.
            IdempotencyInFlight: the same request is in work.
        """
        if key is None:
            yield None
            return
        if _KEY.fullmatch(key) is None:
            why = "Expected 1 to 255 printable ASCII characters"
            raise InvalidRequest([Fault("Idempotency-Key", why)])
        asked = self._hash(path.encode() + b"\n" + body)
        once = Once(principal.project_id, self._hash(key.encode()), asked, self._clock)
        place = (once.project_id, once.key)
        if place in self._in_flight:
            if self._in_flight[place] == asked:
                raise IdempotencyInFlight(retry_after=1)
            raise IdempotencyKeyReused()
        self._in_flight[place] = asked
        try:
            once.repeats = await idempotency.find(
                self._database, once.project_id, once.key, now=self._clock.now()
            )
            if once.repeats is not None and once.repeats.request != asked:
                raise IdempotencyKeyReused()
            yield once
        finally:
            del self._in_flight[place]

    def _hash(self, value: bytes) -> bytes:
        return hmac.digest(self._hashing, value, hashlib.sha256)
