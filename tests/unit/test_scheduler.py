"""The schedule: a late sweep still runs, and a failing one does not end the next."""

import logging

import pytest

from onprem.errors import StoreBusy
from onprem.scheduler import SWEEP_SECONDS, build_scheduler
from onprem.services.sweep import Sweep


class BusySweep(Sweep):
    def __init__(self) -> None:
        pass

    async def run(self) -> None:  # type: ignore[override]
        raise StoreBusy()


async def test_a_failing_sweep_is_logged_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    (job,) = build_scheduler(BusySweep()).get_jobs()
    with caplog.at_level(logging.ERROR):
        await job.func(*job.args)
    assert "store_busy" in caplog.text


def test_a_late_run_is_run_and_missed_ones_once() -> None:
    (job,) = build_scheduler(BusySweep()).get_jobs()
    assert job.misfire_grace_time is None
    assert job.coalesce
    assert job.max_instances == 1
    assert job.trigger.interval.total_seconds() == SWEEP_SECONDS <= 60
