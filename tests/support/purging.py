"""A purge over an open store, as the command line builds it."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from onprem.config.settings import Settings
from onprem.runner.finish import Finisher
from onprem.runner.progress import ProgressBoard
from onprem.runner.wake import Wake
from onprem.services.cancellation import Cancellation
from onprem.services.purge import Purge
from onprem.services.signing import Signer
from onprem.services.sweep import Sweep
from tests.support.store import OpenStore

SIGNER = Signer(bytes(range(32)))
ACTOR = "user:1000"


async def _signer() -> Signer:
    return SIGNER


def purge_of(
    store: OpenStore,
    alone: Callable[[], AbstractContextManager[bool]] = lambda: nullcontext(True),
) -> Purge:
    """`alone`: whether no server is at work."""
    finisher = Finisher(store.database, store.artefacts, store.clock)
    cancellation = Cancellation(
        store.database, store.artefacts, finisher, ProgressBoard(), Wake(), store.clock
    )
    sweep = Sweep(store.database, store.artefacts, store.clock, Settings())
    return Purge(
        store.database,
        store.artefacts,
        finisher,
        cancellation,
        sweep,
        store.clock,
        alone,
        _signer,
    )
