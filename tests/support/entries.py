"""Entries of the ledger and of the access log, as anybody finds them in the database."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.support.server import Running


def accesses(server: Running) -> list[dict[str, Any]]:
    """Bodies of the access log, each with the `jobId` of its entry."""
    rows = _rows(server.settings.storage.data_dir, "access_log")
    return [json.loads(body) | {"jobId": job_id} for _, job_id, body in rows]


def acts(data_dir: Path) -> list[dict[str, Any]]:
    """Bodies of the ledger's acts."""
    return [json.loads(body) for kind, _, body in _rows(data_dir, "ledger") if kind == "act"]


def _rows(data_dir: Path, table: str) -> list[Any]:
    with closing(sqlite3.connect(data_dir / "onprem.sqlite3")) as connection:
        return connection.execute(f"SELECT kind, job_id, body FROM {table} ORDER BY seq").fetchall()
