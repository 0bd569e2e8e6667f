"""The master key, for commands that sign, read content or show secrets."""

import os
from pathlib import Path

from onprem.config.load import load_settings
from onprem.store import key_check
from onprem.store.database import Database
from onprem.store.master_key import MasterKey
from onprem.store.secrets import SecretStore
from onprem.wiring import master_key_file


async def opened_master(config: Path | None, database: Database) -> MasterKey:
    """The key that this database was made with. Raises MasterKeyUnusable."""
    key_file = master_key_file(load_settings(config), os.environ)
    master = MasterKey.read(key_file)
    await key_check.check(database, master, key_file)
    return master


async def opened_secrets(config: Path | None, database: Database) -> SecretStore:
    """Raises MasterKeyUnusable."""
    master = await opened_master(config, database)
    return SecretStore(database, master.derive("secrets"))
