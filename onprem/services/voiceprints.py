"""Voiceprints: the key that they are made under, and which of them serve on this server."""

import secrets as random
from collections.abc import Sequence

from onprem.clock import Clock
from onprem.core.act import Act, ActKind
from onprem.core.speech import ModelRef
from onprem.core.voiceprint import KEY_BYTES, Voiceprint, VoiceprintUnusable, unseal
from onprem.engine.library import ModelLibrary
from onprem.faults import Fault
from onprem.store import ledger
from onprem.store.database import Database
from onprem.store.secrets import SecretStore

_SHOWN_DIGITS = 8


async def installation_key(database: Database, secrets: SecretStore, clock: Clock) -> bytes:
    """The key that this installation makes voiceprints under; made when it is first asked for."""
    now = clock.now()
    live = await secrets.live("voiceprint", None, now=now)
    if not live:
        async with database.write() as tx:
            # Nobody else can write now: looked at again, it is made once.
            live = await secrets.live("voiceprint", None, now=now)
            if not live:
                value = random.token_bytes(KEY_BYTES)
                live = [await secrets.add(tx, "voiceprint", None, value, now=now)]
    return live[0].value


async def shown_key(database: Database, secrets: SecretStore, clock: Clock, *, actor: str) -> bytes:
    """`installation_key`, for somebody to see: whoever has it can forge voiceprints.

    Raises StorageFull, StoreBusy: that could not be noted, so it is not shown.
    """
    key = await installation_key(database, secrets, clock)
    async with database.write() as tx:
        act = Act(ActKind.VOICEPRINT_KEY_SHOWN, actor)
        await ledger.append_act(tx, clock.stamp(), act)
    return key


class Voiceprints:
    """`keys`: this installation's own, and those of others whose voiceprints are taken here."""

    def __init__(self, keys: Sequence[bytes], library: ModelLibrary) -> None:
        self._keys = keys
        self._library = library

    def opened(self, field: str, text: str, ours: str) -> Voiceprint | Fault:
        """The voiceprint in `text`, or what is wrong with `field`.

        `ours` is the embedding model that made it if it was made here.
        """
        try:
            found = unseal(text, self._keys)
        except VoiceprintUnusable as unusable:
            return Fault(field, str(unusable))
        if self._library.digest_of(found.model.id) == found.model.digest:
            return found
        here = ModelRef(ours, self._library.digest_of(ours) or "not installed yet")
        return Fault(
            field,
            f"It was made by the model {_named(found.model)}, which is not installed here; this"
            f" server makes voiceprints by {_named(here)}. Make it anew from a recording",
        )


def _named(model: ModelRef) -> str:
    return f"{model.id} ({model.digest[:_SHOWN_DIGITS]})"
