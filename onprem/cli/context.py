"""What commands share: the settings that hold, and an opened data directory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from onprem.clock import SystemClock
from onprem.config.load import load_settings
from onprem.store import free_slots
from onprem.store.artefacts import ArtefactStore
from onprem.store.blobs import BlobFolder
from onprem.store.data_directory import DataDirectory
from onprem.store.database import Database
from onprem.store.migrate import migrate, missing
from onprem.store.slots import SlotFile


def models_folder(config: Path | None) -> Path:
    """Where the models lie. Raises ConfigInvalid."""
    return load_settings(config).models_dir


@asynccontextmanager
async def opened_database(config: Path | None) -> AsyncIterator[tuple[Database, SystemClock]]:
    """The database of a data directory that `init` made, whether a server runs or not.

    Raises:
        ConfigInvalid, DataDirectoryMissing, DataDirectoryForeign
        DataDirectoryBusy: it must be migrated first, and a server holds it.
        SchemaTooNew: a newer onprem wrote it.
    """
    settings = load_settings(config)
    directory = DataDirectory(settings.storage.data_dir, settings.keys_dir)
    directory.check()
    database = Database(directory.database)
    await database.open()
    try:
        if await missing(database):
            lock = directory.lock()
            try:
                await migrate(database)
            finally:
                lock.release()
        yield database, SystemClock()
    finally:
        await database.close()


@asynccontextmanager
async def opened_artefacts(
    config: Path | None,
) -> AsyncIterator[tuple[Database, ArtefactStore, SystemClock]]:
    """As `opened_database`, with what is stored beside it: to delete it, never to read it.

    Raises RecordKeysUnusable too.
    """
    settings = load_settings(config)
    directory = DataDirectory(settings.storage.data_dir, settings.keys_dir)
    async with opened_database(config) as (database, clock):
        # Deleting overwrites keys; without the wrapping key none of them can be used.
        slots = SlotFile(directory.slots, b"", await free_slots.known(database))
        try:
            blobs = BlobFolder(directory.blobs)
            yield database, ArtefactStore(database, slots, blobs, settings.node.region), clock
        finally:
            slots.close()
