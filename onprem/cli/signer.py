"""The installation's signature, for commands that have its master key."""

import os
from pathlib import Path

from onprem.clock import Clock
from onprem.config.load import load_settings
from onprem.services.signing import Signer, installation_signer
from onprem.store import key_check
from onprem.store.database import Database
from onprem.store.master_key import MasterKey
from onprem.store.secrets import SecretStore
from onprem.wiring import master_key_file


async def opened_signer(config: Path | None, database: Database, clock: Clock) -> Signer:
    """Raises MasterKeyUnusable: without the master key nothing can be signed."""
    key_file = master_key_file(load_settings(config), os.environ)
    master = MasterKey.read(key_file)
    await key_check.check(database, master, key_file)
    return await installation_signer(
        database, SecretStore(database, master.derive("secrets")), clock
    )
