"""Retention time: never ahead of what has truly passed, behind only while the machine was off."""

import math

import pytest
from hypothesis import given, strategies as st

from onprem.clock import (
    SMALL_LEAD,
    TRUSTED_AFTER,
    CatchUp,
    Mark,
    RetentionClock,
    system_clock,
)
from tests.support.clock import FakeClock

HOUR, DAY, YEAR = 3600.0, 86400.0, 365 * 86400.0
NOW = 1_800_000_000.0


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.mark.parametrize("step", [-HOUR, -3 * DAY, HOUR, 10 * YEAR, -NOW])
def test_a_step_of_the_wall_clock_changes_nothing(clock: FakeClock, step: float) -> None:
    clock.step_wall(step)
    assert clock.now() == NOW
    clock.advance(10)
    assert clock.now() == NOW + 10


@pytest.mark.parametrize("step", [-HOUR, -3 * DAY])
def test_a_backward_step_is_ignored_though_it_is_called_synchronised(
    clock: FakeClock, step: float
) -> None:
    clock.step_wall(step, synchronised=True)
    clock.advance(DAY)
    assert clock.now() == NOW + DAY


def test_a_far_lead_is_believed_once_it_was_synchronised_for_ten_minutes(clock: FakeClock) -> None:
    clock.step_wall(HOUR, synchronised=True)
    assert clock.now() == NOW
    clock.advance(TRUSTED_AFTER - 1)
    assert clock.catch_up() is None
    clock.advance(1)
    step = clock.catch_up()
    assert step == CatchUp(since=NOW, by=HOUR)
    assert clock.now() == NOW + TRUSTED_AFTER  # until it is taken
    clock.caught_up(step)
    assert clock.now() == NOW + TRUSTED_AFTER + HOUR
    assert clock.catch_up() is None and clock.mark().lags_since is None


def test_the_ten_minutes_begin_anew_when_it_was_not_synchronised_in_between(
    clock: FakeClock,
) -> None:
    clock.step_wall(HOUR, synchronised=True)
    clock.now()
    clock.advance(TRUSTED_AFTER - 1)
    clock.sources.is_synchronised = False
    clock.now()
    clock.sources.is_synchronised = True
    clock.now()
    clock.advance(TRUSTED_AFTER - 1)
    assert clock.catch_up() is None
    clock.advance(1)
    assert clock.catch_up() is not None


def test_having_been_synchronised_before_the_step_counts_for_nothing(clock: FakeClock) -> None:
    for _ in range(60):
        clock.advance(60)
        clock.now()
    clock.step_wall(10 * YEAR, synchronised=True)
    assert clock.now() == NOW + HOUR and clock.catch_up() is None


def test_a_small_lead_of_a_synchronised_clock_is_believed_at_once(clock: FakeClock) -> None:
    clock.step_wall(SMALL_LEAD, synchronised=True)
    assert clock.now() == NOW + SMALL_LEAD


def test_a_suspend_counts(clock: FakeClock) -> None:
    clock.advance(DAY)  # CLOCK_BOOTTIME goes on in a suspend
    assert clock.now() == NOW + DAY


def resumed(clock: FakeClock, mark: Mark) -> RetentionClock:
    """The next process on the same machine."""
    after = RetentionClock(clock.sources)
    after.resume(mark)
    return after


def test_the_next_process_of_a_boot_goes_on_by_its_uptime(clock: FakeClock) -> None:
    mark = clock.mark()
    clock.step_wall(-3 * DAY)
    clock.advance(HOUR)
    assert resumed(clock, mark).now() == NOW + HOUR


def test_a_new_boot_takes_a_synchronised_clock_that_is_ahead(clock: FakeClock) -> None:
    mark = clock.mark()
    clock.reboot(off=DAY)
    assert resumed(clock, mark).now() == NOW + DAY


def test_a_new_boot_never_goes_back(clock: FakeClock) -> None:
    mark = clock.mark()
    clock.reboot(off=-YEAR)
    assert resumed(clock, mark).now() == NOW


def test_a_new_boot_without_synchronisation_counts_its_uptime_only(clock: FakeClock) -> None:
    mark = clock.mark()
    clock.reboot(off=10 * YEAR)
    clock.sources.is_synchronised = False
    clock.advance(30)
    after = resumed(clock, mark)
    assert after.now() == NOW + 30
    clock.sources.is_synchronised = True
    after.now()
    clock.advance(TRUSTED_AFTER)
    assert after.catch_up() == CatchUp(since=NOW + 30, by=10 * YEAR)


def test_a_boot_after_one_that_lagged_to_its_end_knows_since_when(clock: FakeClock) -> None:
    mark = clock.mark()
    clock.reboot(off=DAY)
    clock.sources.is_synchronised = False
    lagging = resumed(clock, mark)
    clock.advance(HOUR)
    mark = lagging.mark()
    assert mark.lags_since == NOW
    clock.reboot(off=HOUR, boot_id="boot-3")
    clock.sources.is_synchronised = True
    after = resumed(clock, mark)
    assert after.now() == NOW + HOUR
    clock.advance(TRUSTED_AFTER)
    assert after.catch_up() == CatchUp(since=NOW, by=DAY + HOUR)


def test_what_was_no_lead_in_the_end_is_no_lag(clock: FakeClock) -> None:
    clock.step_wall(HOUR)
    clock.now()
    assert clock.mark().lags_since == NOW
    clock.step_wall(-HOUR, synchronised=True)
    assert clock.mark().lags_since is None


def test_a_mark_of_the_future_of_this_boot_is_no_step_back(clock: FakeClock) -> None:
    mark = Mark(NOW, clock.sources.boot_id, clock.sources.boottime() + 5)
    assert resumed(clock, mark).now() == NOW


steps = st.tuples(
    st.sampled_from(["run", "step", "restart"]), st.floats(-10 * YEAR, 10 * YEAR), st.booleans()
)


@given(st.lists(steps, max_size=30))
def test_whatever_somebody_sets_retention_time_is_the_time_that_passed(
    history: list[tuple[str, float, bool]],
) -> None:
    """On a machine that is never off, and whose kernel knows when its clock was set."""
    clock, passed = FakeClock(NOW), 0.0
    process: RetentionClock = clock
    for act, size, quick in history:
        if act == "run":
            lasted = abs(size) % (60 if quick else DAY)
            clock.advance(lasted)
            passed += lasted
        elif act == "step":
            clock.step_wall(size)
        else:
            process = resumed(clock, process.mark())
        assert math.isclose(process.now(), NOW + passed, abs_tol=1e-3)


@given(st.lists(steps, max_size=30))
def test_it_never_goes_back(history: list[tuple[str, float, bool]]) -> None:
    clock = FakeClock(NOW)
    process: RetentionClock = clock
    before = process.now()
    for number, (act, size, flag) in enumerate(history):
        if act == "run":
            clock.advance(abs(size) % DAY)
        elif act == "step":
            clock.step_wall(size, synchronised=flag)
        else:
            mark = process.mark()
            if flag:
                clock.reboot(off=size, boot_id=f"boot-{number}")
            process = resumed(clock, mark)
        assert process.now() >= before
        before = process.now()


def test_this_machine_has_such_a_clock() -> None:
    clock = system_clock()
    first, second = clock.stamp(), clock.stamp()
    assert second.at >= first.at > 1_700_000_000
    assert first.boot_id == second.boot_id != ""
