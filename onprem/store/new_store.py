"""The store of a new installation: what `onprem init` makes, and no start ever makes again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from onprem.store import key_check
from onprem.store.data_directory import DataDirectory
from onprem.store.database import Database
from onprem.store.master_key import MasterKey
from onprem.store.migrate import migrate
from onprem.store.slots import SlotFile


@asynccontextmanager
async def new_store(directory: DataDirectory, master_key: Path) -> AsyncIterator[Database]:
    """Folders, master key, record-key file and database; the last is open in the block.

    Raises:
        FolderUnusable: before any file was made.
        FileExistsError: there is a master key or a record-key file.
    """
    directory.create()
    MasterKey.create(master_key)
    SlotFile.create(directory.slots)
    database = Database(directory.database)
    await database.open()
    try:
        await migrate(database)
        async with database.write() as tx:
            await key_check.write(tx, MasterKey.read(master_key))
        yield database
    finally:
        await database.close()
