"""The installation's signature, for commands that have its master key."""

from pathlib import Path

from onprem.cli.master import opened_secrets
from onprem.clock import Clock
from onprem.services.signing import Signer, installation_signer
from onprem.store.database import Database


async def opened_signer(config: Path | None, database: Database, clock: Clock) -> Signer:
    """Raises MasterKeyUnusable: without the master key nothing can be signed."""
    return await installation_signer(database, await opened_secrets(config, database), clock)
