"""Projects: what keys belong to, and what separates one customer's team from another's."""

import msgspec

from onprem.ids import new_project_id
from onprem.store.database import Database, Transaction


class Project(msgspec.Struct, frozen=True):
    """`name` is unique."""

    id: str
    name: str
    created_at: float


async def insert(tx: Transaction, name: str, *, now: float) -> Project:
    project = Project(new_project_id(), name, now)
    await tx.execute("INSERT INTO project VALUES (?, ?, ?)", msgspec.structs.astuple(project))
    return project


async def by_name(database: Database | Transaction, name: str) -> Project | None:
    row = await database.fetchone(
        "SELECT id, name, created_at FROM project WHERE name = ?", (name,)
    )
    return Project(*row) if row else None


async def every(database: Database) -> list[Project]:
    rows = await database.fetchall("SELECT id, name, created_at FROM project ORDER BY created_at")
    return [Project(*row) for row in rows]
