"""Projects: created, set and listed by the operator."""

from collections.abc import Mapping
from typing import Any

from onprem.clock import Clock
from onprem.core.act import Act, ActKind
from onprem.core.project import ProjectSettings, changed, differing
from onprem.errors import InvalidRequest, NotFound
from onprem.faults import Fault
from onprem.ids import PROJECT_PREFIX
from onprem.store import ledger, projects
from onprem.store.database import Database, Transaction
from onprem.store.projects import Project

_NAME_LENGTH = 100


class Projects:
    """`fields` are settings as `core/project.py` names them, in camel case.

    The ledger notes settings with their values, and never a name.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def create(
        self, name: str, fields: Mapping[str, Any] | None = None, *, actor: str
    ) -> Project:
        """Raises InvalidRequest with each fault of the name and the settings."""
        made = changed(ProjectSettings(), fields or {})
        faults = [*_name_faults(name), *made.faults]
        if faults:
            raise InvalidRequest(faults)
        async with self._database.write() as tx:
            if await projects.by_name(tx, name) is not None:
                raise InvalidRequest([Fault("name", "There is a project of that name")])
            now, settings = self._clock.now(), made.settings
            project = await projects.insert(tx, name, now=now, settings=settings)
            await self._note(
                tx, ActKind.PROJECT_CREATED, actor, project, differing(ProjectSettings(), settings)
            )
            return project

    async def change(self, named: str, fields: Mapping[str, Any], *, actor: str) -> Project:
        """Set the fields that are there; null brings a default back.

        Jobs that were submitted before keep what they were submitted with.

        Raises:
            NotFound, InvalidRequest: nothing was changed.
        """
        async with self._database.write() as tx:
            project = await find(tx, named)
            then = changed(project.settings, fields)
            if then.faults:
                raise InvalidRequest(then.faults)
            if different := differing(project.settings, then.settings):
                await self._note(tx, ActKind.PROJECT_CHANGED, actor, project, different)
            return await projects.change(tx, project, then.settings)

    async def get(self, named: str) -> Project:
        """By name or id. Raises NotFound."""
        return await find(self._database, named)

    async def every(self) -> list[Project]:
        return await projects.every(self._database)

    async def _note(
        self, tx: Transaction, kind: ActKind, actor: str, project: Project, details: dict[str, Any]
    ) -> None:
        act = Act(kind, actor, project.id, project.id, details)
        await ledger.append_act(tx, self._clock.stamp(), act)


async def find(database: Database | Transaction, named: str) -> Project:
    """The project of that id or name; no name looks like an id. Raises NotFound."""
    found = await projects.get(database, named) or await projects.by_name(database, named)
    if found is None:
        raise NotFound(what="project")
    return found


def _name_faults(name: str) -> list[Fault]:
    if not name.strip():
        return [Fault("name", "Must not be empty")]
    if len(name) > _NAME_LENGTH or not name.isprintable():
        return [Fault("name", f"Expected up to {_NAME_LENGTH} printable characters")]
    if name.startswith(PROJECT_PREFIX):
        return [Fault("name", f"Must not begin with {PROJECT_PREFIX}, as ids do")]
    return []
