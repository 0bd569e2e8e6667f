"""The installation's signature: what it says of its chains can be checked by its public key."""

import secrets as random

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from onprem.clock import Clock
from onprem.core.chain import canonical
from onprem.core.signed import SignedDocument, Statement, installation_id
from onprem.store.database import Database
from onprem.store.secrets import SecretStore

SEED_BYTES = 32


class Signer:
    """`public_key` is 32 bytes, `installation` the id that follows from it."""

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public_key = self._key.public_key().public_bytes_raw()
        self.installation = installation_id(self.public_key)

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)

    def document(self, statement: Statement) -> SignedDocument:
        """`statement` names this installation."""
        assert statement.installation == self.installation, "nobody signs for another"
        body = canonical(statement)
        return SignedDocument(msgspec.Raw(body), self.public_key, self.sign(body))


async def installation_signer(database: Database, secrets: SecretStore, clock: Clock) -> Signer:
    """The one of this installation; its key is made when it is first asked for.

    Raises StorageFull, StoreBusy: there is none yet, and it cannot be kept.
    """
    now = clock.now()
    live = await secrets.live("signing", None, now=now)
    if not live:
        async with database.write() as tx:
            # Nobody else can write now: looked at again, it is made once.
            live = await secrets.live("signing", None, now=now)
            if not live:
                seed = random.token_bytes(SEED_BYTES)
                live = [await secrets.add(tx, "signing", None, seed, now=now)]
    return Signer(live[0].value)
