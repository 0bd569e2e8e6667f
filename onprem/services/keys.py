"""API keys: issued once in plaintext, checked by hash, revoked for good."""

import enum
import hashlib
import hmac
import re
import secrets

import msgspec

from onprem.clock import Clock
from onprem.core.act import Act, ActKind, key_actor
from onprem.errors import InvalidRequest, NotFound, ScopeMissing, Unauthenticated
from onprem.faults import Fault
from onprem.services.projects import find
from onprem.store import keys, ledger
from onprem.store.database import Database
from onprem.store.keys import StoredKey

_NAME_LENGTH = 100
_LONGEST_LIFETIME = 36500 * 86400.0
_SHAPE = re.compile(r"sk_([0-9a-f]{8})_[A-Za-z0-9_-]{43}")


class Scope(enum.StrEnum):
    """What a key may do; `admin` is node-wide and sees metadata, never content."""

    MEDIA_READ = "media:read"
    MEDIA_WRITE = "media:write"
    JOBS_READ = "jobs:read"
    JOBS_WRITE = "jobs:write"
    ADMIN = "admin"


ALL_SCOPES = list(Scope)
USUAL_SCOPES: list[Scope] = [scope for scope in Scope if scope is not Scope.ADMIN]
"""What a key gets where nobody says more."""


class Principal(msgspec.Struct, frozen=True):
    """Who makes a request: a key, acting for its project."""

    key_id: str
    project_id: str
    scopes: frozenset[str]

    @property
    def actor(self) -> str:
        """As the ledger and the access log name it."""
        return key_actor(self.key_id)

    def require(self, scope: Scope) -> None:
        """Raises ScopeMissing."""
        if scope not in self.scopes:
            raise ScopeMissing(scope=scope.value)


class IssuedKey(msgspec.Struct, frozen=True):
    """`secret` is shown once and stored nowhere."""

    stored: StoredKey
    secret: str


class Keys:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def issue(
        self,
        project: str,
        name: str,
        scopes: list[Scope],
        lifetime: float | None = None,
        *,
        actor: str,
    ) -> IssuedKey:
        """A new key for the project of that name or id; `lifetime` in seconds.

        Raises NotFound, or InvalidRequest with each fault.
        """
        if faults := _faults(name, scopes, lifetime):
            raise InvalidRequest(faults)
        owner = await find(self._database, project)
        now = self._clock.now()
        key_id = secrets.token_hex(4)
        secret = f"sk_{key_id}_{secrets.token_urlsafe(32)}"
        stored = StoredKey(
            id=key_id,
            project_id=owner.id,
            name=name,
            hash=_hash(secret),
            scopes=[scope.value for scope in scopes],
            created_at=now,
            expires_at=None if lifetime is None else now + lifetime,
        )
        details = {"scopes": stored.scopes, "expiresAt": stored.expires_at}
        act = Act(ActKind.KEY_CREATED, actor, owner.id, key_id, details)
        async with self._database.write() as tx:
            await keys.insert(tx, stored)
            await ledger.append_act(tx, self._clock.stamp(), act)
        return IssuedKey(stored, secret)

    async def authenticate(self, secret: str) -> Principal:
        """Raises Unauthenticated: the caller learns nothing about which keys exist."""
        match = _SHAPE.fullmatch(secret)
        stored = await keys.by_id(self._database, match[1]) if match else None
        if stored is None or not hmac.compare_digest(stored.hash, _hash(secret)):
            raise Unauthenticated()
        if stored.revoked_at is not None:
            raise Unauthenticated()
        if stored.expires_at is not None and stored.expires_at <= self._clock.now():
            raise Unauthenticated()
        return Principal(stored.id, stored.project_id, frozenset(stored.scopes))

    async def every(self) -> list[StoredKey]:
        return await keys.every(self._database)

    async def revoke(self, key_id: str, *, actor: str) -> None:
        """Raises NotFound, also for a key that was revoked before."""
        async with self._database.write() as tx:
            stored = await keys.by_id(tx, key_id)
            if stored is None or not await keys.revoke(tx, key_id, now=self._clock.now()):
                raise NotFound(what="unrevoked key")
            act = Act(ActKind.KEY_REVOKED, actor, stored.project_id, key_id)
            await ledger.append_act(tx, self._clock.stamp(), act)


def _faults(name: str, scopes: list[Scope], lifetime: float | None) -> list[Fault]:
    found = []
    if not name.strip() or len(name) > _NAME_LENGTH or not name.isprintable():
        found.append(Fault("name", f"Expected 1 to {_NAME_LENGTH} printable characters"))
    if not scopes or len(set(scopes)) < len(scopes):
        found.append(Fault("scopes", "Expected one or more, each once"))
    if lifetime is not None and not 0 < lifetime <= _LONGEST_LIFETIME:
        found.append(Fault("expiresIn", "Expected more than 0, and at most 36500d"))
    return found


def _hash(secret: str) -> bytes:
    # The secret has 256 random bits: a slow password hash would protect nothing more.
    return hashlib.sha256(secret.encode()).digest()
