"""A backup at any moment of any history, restored after any more of it, breaks no promise."""

import asyncio
import random
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings as given_settings, strategies as st

from onprem.config.settings import Settings
from onprem.services.backup.verify import verify
from onprem.store.master_key import MasterKey
from tests.support.backups import (
    back_up,
    directory_of,
    elsewhere,
    key_file_of,
    restore,
    verification,
    violations,
)
from tests.support.clock import FakeClock
from tests.support.history import STEPS, history
from tests.support.server import install, settings_in

PLACES = ("there", "elsewhere", "an older state", "without its keys", "without its database")
"""What a backup is restored over."""

steps = st.lists(st.sampled_from(STEPS), max_size=12)


class Going:
    """One installation, whose server is started and stopped between the steps."""

    def __init__(self, settings: Settings, clock: FakeClock, luck: random.Random) -> None:
        self.settings = settings
        self.clock = clock
        self.luck = luck

    async def live(self, steps: list[str]) -> None:
        async with history(self.settings, self.clock, self.luck) as going:
            for step in steps:
                await going.do(step)

    async def holds(self) -> None:
        """All promises are kept."""
        assert await violations(self.settings, self.clock) == []
        judged = await verification(self.settings, self.clock)
        assert judged.intact, judged.problems


async def played(
    folder: Path, before: list[str], after: list[str], place: str, seed: int, *, at_work: bool
) -> None:
    settings, clock = settings_in(folder), FakeClock()
    await install(settings, clock)
    site = Going(settings, clock, random.Random(seed))
    older, file = folder / "older", folder / "onprem.tar"
    if place == "an older state":
        await site.live(before[: len(before) // 2])
        shutil.copytree(settings.storage.data_dir, older)
    if at_work:  # a job may be running
        async with history(settings, clock, site.luck) as going:
            for step in before:
                await going.do(step)
            await back_up(settings, clock, file)
    else:
        await site.live(before)
        await back_up(settings, clock, file)
    master = MasterKey.read(key_file_of(settings))
    verdict = await verify(file, wall=clock.wall(), master=master)
    assert verdict.sound and verdict.opens, verdict.problems
    await site.live(after)
    changed(site, place, older)

    await restore(site.settings, clock, file)

    await site.holds()
    directory = directory_of(site.settings)
    assert list(directory.blobs.iterdir()) == []
    await site.live(["sweep", "submit", "claim", "succeed", "upload", "sweep"])
    await site.live([])  # frees what the stop left in memory
    await site.holds()


def changed(site: Going, place: str, older: Path) -> None:
    directory = directory_of(site.settings)
    match place:
        case "elsewhere":
            site.settings = elsewhere(site.settings, older.parent / "new")
        case "an older state":
            shutil.rmtree(directory.root)
            shutil.move(older, directory.root)
        case "without its keys":
            directory.slots.unlink()
        case "without its database":
            directory.database.rename(older.parent / "evidence")


@pytest.mark.parametrize("place", PLACES)
@given_settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(before=steps, after=steps, seed=st.integers(0, 2**32), at_work=st.booleans())
def test_invariants_hold(
    place: str, before: list[str], after: list[str], seed: int, at_work: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(played(Path(folder), before, after, place, seed, at_work=at_work))
