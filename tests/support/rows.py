"""A job's row as another process sees and changes it, past the running server."""

import sqlite3
from contextlib import closing
from typing import Any

from onprem.runner.finish import Finisher
from onprem.runner.progress import ProgressBoard
from onprem.runner.wake import Wake
from onprem.services.cancellation import Cancellation
from onprem.store.artefacts import ArtefactStore
from onprem.store.blobs import BlobFolder
from onprem.store.data_directory import DataDirectory
from onprem.store.database import Database
from onprem.store.slots import SlotFile
from tests.support.clock import FakeClock
from tests.support.server import Running


def _execute(server: Running, sql: str, *parameters: object) -> list[Any]:
    path = server.settings.storage.data_dir / "onprem.sqlite3"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        return connection.execute(sql, parameters).fetchall()


def row(server: Running, job_id: str, columns: str) -> tuple[Any, ...]:
    (found,) = _execute(server, f"SELECT {columns} FROM job WHERE id = ?", job_id)
    return tuple(found)


def change(server: Running, job_id: str, assignments: str) -> None:
    _execute(server, f"UPDATE job SET {assignments} WHERE id = ?", job_id)


def note_worker_copy(server: Running, job_id: str, record: bytes) -> None:
    """A copy in the memory of a process that is no more."""
    _execute(
        server,
        "INSERT INTO artefact (id, kind, project_id, job_id, size, created_at, due_at)"
        " SELECT ?, 'worker_copy', project_id, id, 0, created_at, created_at"
        " FROM job WHERE id = ?",
        record,
        job_id,
    )


async def cancel_elsewhere(server: Running, job_id: str) -> None:
    """As `onprem jobs cancel` does it beside the server."""
    settings, clock = server.settings, FakeClock()
    directory = DataDirectory(settings.storage.data_dir, settings.keys_dir)
    database = Database(directory.database)
    await database.open()
    slots = SlotFile(directory.slots, b"", 0)
    blobs = BlobFolder(directory.blobs)
    artefacts = ArtefactStore(database, slots, blobs, region="default", clock=clock)
    finisher = Finisher(database, artefacts, clock)
    ends = Cancellation(database, artefacts, finisher, ProgressBoard(), Wake(), clock)
    (project_id,) = row(server, job_id, "project_id")
    await ends.cancel(project_id, job_id)
    slots.close()
    await database.close()


def receipted(server: Running, artefact_id: str) -> bool:
    """Whether the ledger has a receipt of the artefact."""
    found = _execute(
        server,
        "SELECT 1 FROM ledger WHERE kind = 'deletion' AND body ->> 'artefactId' = ?",
        artefact_id,
    )
    return bool(found)
