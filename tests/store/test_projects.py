"""A project's name is unique, also for two who choose it at once."""

import asyncio

import pytest

from onprem.errors import InvalidRequest
from onprem.services.projects import Projects
from tests.support.clock import FakeClock
from tests.support.people import OPERATOR
from tests.support.store import OpenStore


async def test_two_of_one_name_at_once_are_one_and_a_refusal(store: OpenStore) -> None:
    projects = Projects(store.database, FakeClock())
    made = await asyncio.gather(
        *(projects.create("sales", actor=OPERATOR) for _ in range(2)), return_exceptions=True
    )
    assert sorted(type(each).__name__ for each in made) == ["InvalidRequest", "Project"]
    assert [project.name for project in await projects.every()].count("sales") == 1


async def test_an_empty_name_is_refused(store: OpenStore) -> None:
    with pytest.raises(InvalidRequest):
        await Projects(store.database, FakeClock()).create("  ", actor=OPERATOR)
