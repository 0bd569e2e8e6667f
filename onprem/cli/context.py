"""What commands share: the settings that hold, and an opened data directory."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from onprem.cli.master import opened_master
from onprem.clock import RetentionClock, system_clock
from onprem.config.load import load_settings
from onprem.core.act import user_actor
from onprem.store import clock_mark, free_slots
from onprem.store.artefacts import ArtefactStore
from onprem.store.blobs import BlobFolder
from onprem.store.data_directory import DataDirectory
from onprem.store.database import Database
from onprem.store.migrate import migrate, missing
from onprem.store.slots import SlotFile


def operator() -> str:
    """Who runs this command, as the ledger names people."""
    return user_actor(os.geteuid())


def models_folder(config: Path | None) -> Path:
    """Where the models lie. Raises ConfigInvalid."""
    return load_settings(config).models_dir


@asynccontextmanager
async def opened_database(config: Path | None) -> AsyncIterator[tuple[Database, RetentionClock]]:
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
        yield database, await continued_clock(database)
    finally:
        await database.close()


async def continued_clock(database: Database) -> RetentionClock:
    """Retention time as the last process left it."""
    clock = system_clock()
    if mark := await clock_mark.read(database):
        clock.resume(mark)
    return clock


@asynccontextmanager
async def opened_artefacts(
    config: Path | None, *, readable: bool = False
) -> AsyncIterator[tuple[Database, ArtefactStore, RetentionClock]]:
    """As `opened_database`, with what is stored beside it: to delete it, or `readable`, for which
    the master key is needed.

    Raises RecordKeysUnusable too, and MasterKeyUnusable.
    """
    settings = load_settings(config)
    directory = DataDirectory(settings.storage.data_dir, settings.keys_dir)
    async with opened_database(config) as (database, clock):
        # Deleting overwrites keys; without the wrapping key none of them can be used.
        wrapping = b""
        if readable:
            wrapping = (await opened_master(config, database)).derive("record keys")
        slots = SlotFile(directory.slots, wrapping, await free_slots.known(database))
        try:
            blobs = BlobFolder(directory.blobs)
            region = settings.node.region
            artefacts = ArtefactStore(database, slots, blobs, region=region, clock=clock)
            yield database, artefacts, clock
        finally:
            slots.close()
