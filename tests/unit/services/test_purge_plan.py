"""A dry run cannot lie: what a plan lists is what the purge deletes, whatever there is."""

import asyncio
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, event, given, settings, strategies as st

from onprem.core.purge import Plan, Selection, What
from onprem.store import ledger
from tests.support.population import STATES, JobRecipe, MediaRecipe, Population, populate
from tests.support.purging import ACTOR, purge_of
from tests.support.store import OpenStore, opened_store

PROJECTS = st.integers(0, 1)
MEDIA = st.lists(
    st.builds(MediaRecipe, PROJECTS, st.booleans(), st.booleans()), min_size=1, max_size=4
)
JOBS = st.lists(
    st.builds(
        JobRecipe, PROJECTS, st.sampled_from(STATES), st.booleans(), st.booleans(), st.booleans()
    ),
    min_size=1,
    max_size=5,
)


def selected(made: Population, what: What, choice: int) -> Selection | None:
    """One of those that there are; None: there is none."""
    names = {What.JOB: made.jobs, What.MEDIA: made.media, What.PROJECT: made.projects}
    if what not in names:
        return Selection(what)
    return Selection(what, names[what][choice % len(names[what])]) if names[what] else None


async def live_in(store: OpenStore) -> set[str]:
    return {row[0].hex() for row in await store.database.fetchall("SELECT id FROM artefact")}


def listed(plan: Plan) -> list[tuple[str, str, str]]:
    return [(item.artefact_id, item.kind, item.reason) for item in plan.items]


@pytest.mark.parametrize("what", What)
@given(media=MEDIA, jobs=JOBS, choice=st.integers(0, 9))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_dry_run_lists_exactly_what_the_purge_deletes(
    what: What, media: list[MediaRecipe], jobs: list[JobRecipe], choice: int
) -> None:
    async def check(store: OpenStore) -> None:
        made = await populate(store, media, jobs)
        selection = selected(made, what, choice)
        if selection is None:
            return
        purge, before = purge_of(store), await live_in(store)
        dry = await purge.plan(selection)
        assert await live_in(store) == before
        event("something" if dry.items else "nothing")
        done = await purge.carry_out(await purge.plan(selection), ACTOR, wait=0)
        done.check()
        copies = {item.artefact_id for item in dry.ending_with_run}
        written = [each.receipt for each in done.receipts]
        stored = [each for each in written if each.artefact_id not in copies]
        assert sorted(listed(dry)) == sorted((r.artefact_id, r.kind, r.reason) for r in stored)
        gone = {item.artefact_id for item in dry.items} | copies
        assert await live_in(store) == before - gone
        assert len(await ledger.receipts(store.database)) == len(gone)
        if what is not What.MEDIA:  # a name that is gone is an error
            assert (await purge.plan(selection)).items == []

    async def in_a_store(folder: Path) -> None:
        async with opened_store(folder / "data") as store:
            await check(store)

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(in_a_store(Path(folder)))
