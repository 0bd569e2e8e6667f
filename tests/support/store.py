"""A data directory with everything in the store opened, and no server around it."""

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from pathlib import Path

from onprem.core.receipt import ArtefactKind
from onprem.core.retention import output_life
from onprem.store import free_slots, jobs, projects
from onprem.store.artefacts import ArtefactStore
from onprem.store.blobs import BlobFolder
from onprem.store.data_directory import DataDirectory
from onprem.store.database import Database
from onprem.store.migrate import migrate
from onprem.store.recovery import reconcile
from onprem.store.slots import SlotFile
from tests.support.clock import FakeClock

NOW = 1_800_000_000.0
LATER = NOW + 3600
"""The deadline of what `OpenStore.keep` keeps."""
MASTER = bytes(range(32))


class OpenStore:
    """The parts of the store, and one project."""

    def __init__(self, directory: DataDirectory, database: Database, slots: SlotFile) -> None:
        self.directory = directory
        self.database = database
        self.slots = slots
        self.blobs = BlobFolder(directory.blobs)
        self.clock = FakeClock(NOW)
        self.artefacts = ArtefactStore(database, slots, self.blobs, region="here", clock=self.clock)
        self.project_id = ""

    async def submit(self, job_id: str, media_id: bytes | None = None) -> None:
        """A job that waits."""
        request = await self.keep(b"request", ArtefactKind.REQUEST, job_id)
        async with self.database.write() as tx:
            await jobs.insert(
                tx,
                job_id=job_id,
                project_id=self.project_id,
                kind="diarize",
                region="here",
                media_id=media_id,
                request_id=request,
                output_life=output_life(None),
                now=NOW,
            )

    async def keep(
        self, plaintext: bytes, kind: ArtefactKind = ArtefactKind.OUTPUT, job_id: str = "job"
    ) -> bytes:
        async with self.database.write() as tx:
            return await self.artefacts.keep(
                tx,
                kind,
                plaintext,
                project_id=self.project_id,
                job_id=job_id,
                now=NOW,
                due_at=LATER,
            )

    async def slot_of(self, record: bytes) -> int:
        row = await self.database.fetchone("SELECT slot FROM artefact WHERE id = ?", (record,))
        assert row is not None
        return int(row[0])

    async def recover(self) -> int:
        return await reconcile(self.database, self.artefacts, self.slots, self.blobs, now=NOW)


@asynccontextmanager
async def opened_store(folder: Path) -> AsyncIterator[OpenStore]:
    """Opens the store in `folder`, which is made on the first call."""
    directory = DataDirectory(folder, folder / "keys")
    directory.create()
    if not directory.database.exists():
        SlotFile.create(directory.slots)
    database = Database(directory.database)
    async with AsyncExitStack() as opened:
        await database.open()
        opened.push_async_callback(database.close)
        await migrate(database)
        slots = SlotFile(directory.slots, MASTER, await free_slots.known(database))
        opened.callback(slots.close)
        store = OpenStore(directory, database, slots)
        known = await projects.by_name(database, "default")
        if known is None:
            async with database.write() as tx:
                known = await projects.insert(tx, "default", now=NOW)
        store.project_id = known.id
        yield store


def size_of(path: Path) -> int:
    return path.stat().st_size


def log_of(database: Database) -> Path:
    """SQLite's write-ahead log."""
    return Path(f"{database.path}-wal")


@contextmanager
def reader_of(database: Database) -> Iterator[None]:
    """Somebody who reads the database, and so holds its log."""
    with closing(sqlite3.connect(database.path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM artefact").fetchall()
        yield


def bytes_below(folder: Path) -> bytes:
    """All bytes of all files in a folder, one after the other."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())
