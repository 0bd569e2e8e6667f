"""The schedule: a late run still runs, a failing one does not end the next, no clock stops it."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from onprem.errors import StoreBusy
from onprem.scheduler import Schedule, Task


class Chore:
    """Counts its runs; may fail, and may be held up."""

    def __init__(self) -> None:
        self.runs = 0
        self.fails = False
        self.gate = asyncio.Event()
        self.gate.set()
        self.begun = asyncio.Event()
        self.done = asyncio.Event()

    async def run(self) -> None:
        self.begun.set()
        await self.gate.wait()
        self.runs += 1
        self.done.set()
        if self.fails:
            raise StoreBusy()

    async def once_more(self, schedule: Schedule) -> None:
        """It is run by the schedule, now."""
        self.done.clear()
        schedule.jobs["chore"].modify(next_run_time=datetime.now(UTC))
        async with asyncio.timeout(5):
            await self.done.wait()


@pytest.fixture
def chore() -> Chore:
    return Chore()


@pytest.fixture
async def schedule(chore: Chore) -> AsyncIterator[Schedule]:
    schedule = Schedule([Task("chore", 30, chore.run)])
    schedule.start()
    yield schedule
    await schedule.stop()


async def test_a_failing_run_is_logged_and_does_not_end_the_next(
    schedule: Schedule, chore: Chore, caplog: pytest.LogCaptureFixture
) -> None:
    chore.fails = True
    with caplog.at_level(logging.ERROR):
        await chore.once_more(schedule)
        chore.fails = False
        await chore.once_more(schedule)
    assert "the chore did not finish: StoreBusy" in caplog.text
    assert chore.runs == 2


async def test_a_late_run_is_run_and_missed_ones_once(schedule: Schedule) -> None:
    job = schedule.jobs["chore"]
    assert job.misfire_grace_time is None
    assert job.coalesce
    assert job.max_instances == 1
    assert job.trigger.interval.total_seconds() == 30


async def test_a_clock_that_went_back_does_not_put_it_to_sleep(
    schedule: Schedule, chore: Chore
) -> None:
    # As APScheduler sees it after the wall clock went back by a day.
    schedule.jobs["chore"].modify(next_run_time=datetime.now(UTC) + timedelta(days=1))
    schedule.wake()
    async with asyncio.timeout(5):
        await chore.begun.wait()


async def test_a_clock_that_goes_right_is_left_alone(schedule: Schedule, chore: Chore) -> None:
    before = schedule.jobs["chore"].next_run_time
    schedule.wake()
    assert schedule.jobs["chore"].next_run_time == before
    assert chore.runs == 0


async def test_a_stop_waits_for_what_is_in_work(chore: Chore) -> None:
    schedule = Schedule([Task("chore", 30, chore.run)])
    schedule.start()
    chore.gate.clear()
    schedule.jobs["chore"].modify(next_run_time=datetime.now(UTC))
    await chore.begun.wait()
    stopping = asyncio.create_task(schedule.stop())
    await asyncio.sleep(0)
    assert not stopping.done()
    chore.gate.set()
    await stopping
    assert chore.runs == 1
