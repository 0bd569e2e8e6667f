"""`onprem keys` and `onprem projects`."""

import pytest

from tests.cli.conftest import Onprem


@pytest.fixture(autouse=True)
def _installed(onprem: Onprem) -> None:
    assert onprem("init").code == 0


def test_a_key_is_shown_once_with_its_scopes_and_expiry(onprem: Onprem) -> None:
    made = onprem(
        "keys", "create", "reader", "--scope", "jobs:read", "--expires-in", "90d", "--json"
    )
    assert made.code == 0
    assert made.json["scopes"] == ["jobs:read"]
    assert made.json["expiresAt"] > made.json["createdAt"]
    listed = [key for key in onprem("keys", "list", "--json").json if key["name"] == "reader"]
    assert "key" not in listed[0]


def test_a_key_without_scopes_gets_all_but_admin(onprem: Onprem) -> None:
    scopes = onprem("keys", "create", "app", "--json").json["scopes"]
    assert scopes == ["media:read", "media:write", "jobs:read", "jobs:write"]


def test_revoking_is_for_good(onprem: Onprem) -> None:
    key_id = onprem("keys", "create", "old", "--json").json["id"]
    assert onprem("keys", "revoke", key_id).code == 0
    again = onprem("keys", "revoke", key_id)
    assert again.code == 6
    assert "no such unrevoked key" in again.err


def test_projects_have_unique_names_and_their_own_keys(onprem: Onprem) -> None:
    assert onprem("projects", "create", "sales").code == 0
    assert onprem("projects", "create", "sales").code == 6
    assert [project["name"] for project in onprem("projects", "list", "--json").json] == [
        "default",
        "sales",
    ]
    assert onprem("keys", "create", "x", "--project", "sales").code == 0
    assert onprem("keys", "create", "x", "--project", "nobody").code == 6


@pytest.mark.parametrize("scope", ["jobs", "everything"])
def test_an_unknown_scope_is_a_usage_error(onprem: Onprem, scope: str) -> None:
    done = onprem("keys", "create", "x", "--scope", scope)
    assert done.code == 2
    assert "jobs:read" in done.err
