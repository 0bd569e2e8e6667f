"""Making and restoring backups of a test's installation, as the commands do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from onprem.clock import RetentionClock
from onprem.config.settings import Settings
from onprem.core.anchors import AnchorFile, read_anchors
from onprem.core.ledger_verification import Verification
from onprem.services.backup.create import BackupMaker, Created
from onprem.services.backup.prepare import prepared
from onprem.services.backup.restore import Outcome
from onprem.services.invariants import check_invariants
from onprem.services.ledger_export import LedgerExport
from onprem.services.signing import installation_signer
from onprem.store.data_directory import DataDirectory
from onprem.store.database import Database
from onprem.store.master_key import MasterKey
from onprem.store.secrets import SecretStore
from tests.support.people import OPERATOR


def directory_of(settings: Settings) -> DataDirectory:
    return DataDirectory(settings.storage.data_dir, settings.keys_dir)


def key_file_of(settings: Settings) -> Path:
    assert settings.storage.master_key_file is not None
    return settings.storage.master_key_file


def elsewhere(settings: Settings, folder: Path) -> Settings:
    """A new machine: the same configuration and master key, no data."""
    storage = msgspec.structs.replace(settings.storage, data_dir=folder / "data")
    return msgspec.structs.replace(settings, storage=storage)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Database]:
    database = Database(directory_of(settings).database)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


async def back_up(settings: Settings, clock: RetentionClock, to: Path) -> Created:
    """Whether a server runs or not."""
    async with opened(settings) as database:
        master = MasterKey.read(key_file_of(settings))
        return await BackupMaker(database, clock, master, settings).create(to, actor=OPERATOR)


async def restore(
    settings: Settings, clock: RetentionClock, file: Path, *, anchors: Path | None = None
) -> Outcome:
    async with prepared(file, settings, key_file_of(settings), clock, anchors=anchors) as ready:
        return await ready.carry_out(actor=OPERATOR)


async def violations(settings: Settings, clock: RetentionClock) -> list[str]:
    return await check_invariants(directory_of(settings), clock.now())


async def verification(
    settings: Settings, clock: RetentionClock, anchors: Path | None = None
) -> Verification:
    """Of the ledger as it is stored now."""
    async with opened(settings) as database:
        master = MasterKey.read(key_file_of(settings))
        secrets = SecretStore(database, master.derive("secrets"))
        signer = await installation_signer(database, secrets, clock)
        file: AnchorFile | None = None
        if anchors is not None:
            file = read_anchors(anchors.read_bytes().splitlines(), signer.public_key)
        return await LedgerExport(database, signer, clock).verification(file)
