"""What commands share: the settings that hold, and an opened data directory."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from onprem.clock import SystemClock
from onprem.config.load import load_settings
from onprem.store.data_directory import DataDirectory
from onprem.store.database import Database
from onprem.store.migrate import migrate, migrations, schema_version


def models_folder(config: Path | None) -> Path:
    """Where the models lie. Raises ConfigInvalid."""
    return load_settings(config).models_dir


@asynccontextmanager
async def opened_database(config: Path | None) -> AsyncIterator[tuple[Database, SystemClock]]:
    """The database of a data directory that `init` made, whether a server runs or not.

    Raises:
        ConfigInvalid, DataDirectoryMissing, DataDirectoryForeign
        DataDirectoryBusy: it must be migrated first, and a server holds it.
    """
    settings = load_settings(config)
    directory = DataDirectory(settings.storage.data_dir, settings.keys_dir)
    directory.check()
    database = Database(directory.database)
    await database.open()
    try:
        if await schema_version(database) != len(migrations()):
            lock = directory.lock()
            await migrate(database)
            lock.release()
        yield database, SystemClock()
    finally:
        await database.close()


def environment_home() -> Path:
    """Where a user's own installation goes when no data directory is named."""
    state = os.environ.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local" / "state") / "onprem"
