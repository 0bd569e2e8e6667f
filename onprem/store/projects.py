"""Projects: what keys belong to, and what separates one customer's team from another's."""

import msgspec

from onprem.core.project import ProjectSettings
from onprem.ids import new_project_id
from onprem.store.database import Database, Row, Transaction

_COLUMNS = "id, name, created_at, settings"


class Project(msgspec.Struct, frozen=True):
    """`name` is unique."""

    id: str
    name: str
    created_at: float
    settings: ProjectSettings = ProjectSettings()


async def insert(
    tx: Transaction, name: str, *, now: float, settings: ProjectSettings | None = None
) -> Project:
    project = Project(new_project_id(), name, now, settings or ProjectSettings())
    await tx.execute(
        f"INSERT INTO project ({_COLUMNS}) VALUES (?, ?, ?, ?)",
        (project.id, name, now, msgspec.json.encode(project.settings).decode()),
    )
    return project


async def get(database: Database | Transaction, project_id: str) -> Project | None:
    """None also for one that was erased."""
    row = await database.fetchone(
        f"SELECT {_COLUMNS} FROM project WHERE id = ? AND erased_at IS NULL", (project_id,)
    )
    return _project(row) if row else None


async def by_name(database: Database | Transaction, name: str) -> Project | None:
    row = await database.fetchone(
        f"SELECT {_COLUMNS} FROM project WHERE name = ? AND erased_at IS NULL", (name,)
    )
    return _project(row) if row else None


async def every(database: Database) -> list[Project]:
    """The oldest first; not those that were erased."""
    rows = await database.fetchall(
        f"SELECT {_COLUMNS} FROM project WHERE erased_at IS NULL ORDER BY created_at"
    )
    return [_project(row) for row in rows]


async def change(tx: Transaction, project: Project, settings: ProjectSettings) -> Project:
    await tx.execute(
        "UPDATE project SET settings = ? WHERE id = ?",
        (msgspec.json.encode(settings).decode(), project.id),
    )
    return msgspec.structs.replace(project, settings=settings)


def _project(row: Row) -> Project:
    settings = msgspec.json.decode(row[3], type=ProjectSettings)
    return Project(row[0], row[1], row[2], settings)
