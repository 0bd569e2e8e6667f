"""Who acts in tests: the operator at the machine, and the owner of a project's key."""

from onprem.core.act import user_actor
from onprem.services.keys import USUAL_SCOPES, Principal
from tests.support.store import OpenStore

OPERATOR = user_actor(1000)
"""An actor, as the ledger names it."""


def owner(store: OpenStore) -> Principal:
    """A key of the store's project."""
    return Principal("0badcafe", store.project_id, frozenset(USUAL_SCOPES))
