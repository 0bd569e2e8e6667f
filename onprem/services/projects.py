"""Projects: created and listed by the operator."""

from onprem.clock import Clock
from onprem.errors import InvalidRequest
from onprem.faults import Fault
from onprem.store import projects
from onprem.store.database import Database
from onprem.store.projects import Project


class Projects:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def create(self, name: str) -> Project:
        """Raises InvalidRequest where the name is empty or taken."""
        if not name.strip():
            raise InvalidRequest([Fault("name", "Must not be empty")])
        async with self._database.write() as tx:
            if await projects.by_name(tx, name) is not None:
                raise InvalidRequest([Fault("name", "There is a project of that name")])
            return await projects.insert(tx, name, now=self._clock.now())

    async def every(self) -> list[Project]:
        return await projects.every(self._database)
