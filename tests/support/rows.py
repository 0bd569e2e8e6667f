"""A job's row as another process sees and changes it, past the running server."""

import sqlite3
from contextlib import closing
from typing import Any

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


def ask_to_cancel(server: Running, job_id: str) -> None:
    change(server, job_id, "cancel_requested = 1")


def receipted(server: Running, artefact_id: str) -> bool:
    """Whether the ledger has a receipt of the artefact."""
    found = _execute(
        server,
        "SELECT 1 FROM ledger WHERE kind = 'deletion' AND body ->> 'artefactId' = ?",
        artefact_id,
    )
    return bool(found)
