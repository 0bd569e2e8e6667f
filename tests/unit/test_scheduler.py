"""The schedule: a late sweep still runs, a failing one does not end the next, no clock stops it."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from onprem.errors import StoreBusy
from onprem.scheduler import SWEEP_SECONDS, Schedule
from onprem.services.sweep import Sweep, Swept


class FakeSweep(Sweep):
    """Counts its runs; may fail, and may be held up."""

    def __init__(self) -> None:
        self.runs = 0
        self.fails = False
        self.gate = asyncio.Event()
        self.gate.set()
        self.begun = asyncio.Event()

    async def run(self) -> Swept:
        self.begun.set()
        await self.gate.wait()
        self.runs += 1
        if self.fails:
            raise StoreBusy()
        return Swept(0, 0, 0)


@pytest.fixture
def sweep() -> FakeSweep:
    return FakeSweep()


@pytest.fixture
async def schedule(sweep: FakeSweep) -> AsyncIterator[Schedule]:
    schedule = Schedule(sweep)
    schedule.start()
    yield schedule
    await schedule.stop()


async def test_a_failing_sweep_is_logged_and_does_not_end_the_next(
    schedule: Schedule, sweep: FakeSweep, caplog: pytest.LogCaptureFixture
) -> None:
    sweep.fails = True
    with caplog.at_level(logging.ERROR):
        await schedule.run_sweep()
    assert "StoreBusy" in caplog.text
    sweep.fails = False
    await schedule.run_sweep()
    assert sweep.runs == 2


async def test_a_late_run_is_run_and_missed_ones_once(schedule: Schedule) -> None:
    assert schedule.job.misfire_grace_time is None
    assert schedule.job.coalesce
    assert schedule.job.max_instances == 1
    assert schedule.job.trigger.interval.total_seconds() == SWEEP_SECONDS <= 60


async def test_a_clock_that_went_back_does_not_put_it_to_sleep(
    schedule: Schedule, sweep: FakeSweep
) -> None:
    # As APScheduler sees it after the wall clock went back by a day.
    schedule.job.modify(next_run_time=datetime.now(UTC) + timedelta(days=1))
    schedule.wake()
    async with asyncio.timeout(5):
        await sweep.begun.wait()


async def test_a_clock_that_goes_right_is_left_alone(schedule: Schedule, sweep: FakeSweep) -> None:
    before = schedule.job.next_run_time
    schedule.wake()
    assert schedule.job.next_run_time == before
    assert sweep.runs == 0


async def test_a_stop_waits_for_the_sweep_in_work(sweep: FakeSweep) -> None:
    schedule = Schedule(sweep)
    schedule.start()
    sweep.gate.clear()
    schedule.job.modify(next_run_time=datetime.now(UTC))
    await sweep.begun.wait()
    stopping = asyncio.create_task(schedule.stop())
    await asyncio.sleep(0)
    assert not stopping.done()
    sweep.gate.set()
    await stopping
    assert sweep.runs == 1
