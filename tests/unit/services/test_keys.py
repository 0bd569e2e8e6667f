"""API keys: only the issued text opens, until it expires or is revoked."""

import pytest

from onprem.errors import NotFound, ScopeMissing, Unauthenticated
from onprem.services.keys import ALL_SCOPES, Keys, Scope
from tests.support.clock import FakeClock
from tests.support.people import OPERATOR
from tests.support.store import OpenStore, bytes_below


@pytest.fixture
def keys(store: OpenStore, clock: FakeClock) -> Keys:
    return Keys(store.database, clock)


async def test_an_issued_key_acts_for_its_project(keys: Keys, store: OpenStore) -> None:
    issued = await keys.issue("default", "ci", [Scope.JOBS_READ], actor=OPERATOR)
    principal = await keys.authenticate(issued.secret)
    assert principal.key_id == issued.stored.id
    assert principal.project_id == store.project_id
    assert principal.scopes == {"jobs:read"}


async def test_a_key_is_never_stored(keys: Keys, store: OpenStore) -> None:
    issued = await keys.issue("default", "ci", ALL_SCOPES, actor=OPERATOR)
    secret = issued.secret.removeprefix(f"sk_{issued.stored.id}_")
    assert len(secret) == 43
    assert secret.encode() not in bytes_below(store.directory.root)


async def test_each_key_is_another_one(keys: Keys) -> None:
    issued = [
        await keys.issue("default", "same name", ALL_SCOPES, actor=OPERATOR) for _ in range(5)
    ]
    assert len({each.secret for each in issued}) == 5
    assert [each.id for each in await keys.every()] == [each.stored.id for each in issued]


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "sk_",
        "sk_00000000_" + "A" * 43,
        "' OR 1=1 --",
        "sk_\N{LATIN SMALL LETTER E WITH ACUTE}",
        "x" * 10_000,
    ],
)
async def test_a_key_that_was_never_issued_does_not_open(keys: Keys, wrong: str) -> None:
    await keys.issue("default", "ci", ALL_SCOPES, actor=OPERATOR)
    with pytest.raises(Unauthenticated):
        await keys.authenticate(wrong)


async def test_the_right_id_with_another_secret_does_not_open(keys: Keys) -> None:
    first = (await keys.issue("default", "first", ALL_SCOPES, actor=OPERATOR)).secret
    second = (await keys.issue("default", "second", ALL_SCOPES, actor=OPERATOR)).secret
    with pytest.raises(Unauthenticated):
        await keys.authenticate(first[:12] + second[12:])
    with pytest.raises(Unauthenticated):
        await keys.authenticate(first[:-1])
    with pytest.raises(Unauthenticated):
        await keys.authenticate(first + "A")


async def test_a_revoked_key_does_not_open_any_more(keys: Keys) -> None:
    issued = await keys.issue("default", "ci", ALL_SCOPES, actor=OPERATOR)
    await keys.authenticate(issued.secret)
    await keys.revoke(issued.stored.id, actor=OPERATOR)
    with pytest.raises(Unauthenticated):
        await keys.authenticate(issued.secret)
    with pytest.raises(NotFound):
        await keys.revoke(issued.stored.id, actor=OPERATOR)
    with pytest.raises(NotFound):
        await keys.revoke("00000000", actor=OPERATOR)


async def test_a_key_opens_until_its_lifetime_ends(keys: Keys, clock: FakeClock) -> None:
    issued = await keys.issue("default", "ci", ALL_SCOPES, lifetime=60, actor=OPERATOR)
    clock.advance(59)
    await keys.authenticate(issued.secret)
    clock.advance(1)
    with pytest.raises(Unauthenticated):
        await keys.authenticate(issued.secret)


async def test_a_key_needs_the_scope_that_is_asked_for(keys: Keys) -> None:
    issued = await keys.issue("default", "ci", [Scope.MEDIA_READ, Scope.ADMIN], actor=OPERATOR)
    principal = await keys.authenticate(issued.secret)
    principal.require(Scope.MEDIA_READ)
    for scope in (Scope.MEDIA_WRITE, Scope.JOBS_READ, Scope.JOBS_WRITE):
        with pytest.raises(ScopeMissing, match=scope.value):
            principal.require(scope)


async def test_a_key_of_no_project_is_not_issued(keys: Keys) -> None:
    with pytest.raises(NotFound):
        await keys.issue("nobody", "ci", ALL_SCOPES, actor=OPERATOR)
    assert await keys.every() == []
