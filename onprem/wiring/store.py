"""The opened store of a server."""

import logging
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from onprem.clock import RetentionClock
from onprem.config.settings import Settings
from onprem.store import clock_mark, free_slots, key_check
from onprem.store.artefacts import ArtefactStore
from onprem.store.blobs import BlobFolder
from onprem.store.data_directory import DataDirectory
from onprem.store.database import Database
from onprem.store.master_key import MasterKey
from onprem.store.migrate import migrate
from onprem.store.recovery import reconcile
from onprem.store.slots import SlotFile
from onprem.store.swap import discard_staging
from onprem.threads import in_thread
from onprem.wiring.configured import master_key_file

logger = logging.getLogger(__name__)


@asynccontextmanager
async def running_store(
    settings: Settings, clock: RetentionClock
) -> AsyncIterator[tuple[Database, ArtefactStore, MasterKey]]:
    """The data directory, locked against a second server, migrated and reconciled.

    Raises:
        InstallationError: it is missing, damaged, busy, somebody else's, or its key is unusable.
    """
    directory = DataDirectory(settings.storage.data_dir, settings.keys_dir)
    directory.check()
    key_file = master_key_file(settings, os.environ)
    master = MasterKey.read(key_file)
    async with AsyncExitStack() as opened:
        lock = directory.lock()
        opened.callback(lock.release)
        await in_thread(discard_staging, directory)
        database = Database(directory.database)
        await database.open()
        opened.push_async_callback(database.close)
        await migrate(database)
        await key_check.check(database, master, key_file)
        known = await free_slots.known(database)
        slots = SlotFile(directory.slots, master.derive("record keys"), known)
        opened.callback(slots.close)
        blobs = BlobFolder(directory.blobs)
        if mark := await clock_mark.read(database):
            clock.resume(mark)
        artefacts = ArtefactStore(database, slots, blobs, region=settings.node.region, clock=clock)
        mended = await reconcile(database, artefacts, slots, blobs, now=clock.now())
        if mended:
            logger.warning("mended %d left-overs of an unclean stop", mended)
        # From here on others may look, and none can take it for themselves.
        lock.share()
        yield database, artefacts, master
        await database.truncate_log()
