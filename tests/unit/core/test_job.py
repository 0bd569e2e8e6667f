"""The life of a job: it ends once, and no job brings the server down for ever."""

from itertools import product

import pytest
from hypothesis import given, strategies as st

from onprem.core.job import (
    TERMINAL,
    IllegalTransition,
    Interrupted,
    JobStatus,
    after_crash,
    check_transition,
)

STATUSES = st.sampled_from(JobStatus)


def allowed(now: JobStatus, then: JobStatus) -> bool:
    try:
        check_transition(now, then)
    except IllegalTransition:
        return False
    return True


@given(st.lists(STATUSES, max_size=50))
def test_a_terminal_state_never_changes(wishes: list[JobStatus]) -> None:
    status, ended = JobStatus.CREATED, []
    for wish in wishes:
        if allowed(status, wish):
            status = wish
        if status in TERMINAL:
            ended.append(status)
    assert len(set(ended)) <= 1


@pytest.mark.parametrize(("now", "then"), list(product(sorted(TERMINAL), JobStatus)))
def test_nothing_follows_a_terminal_state(now: JobStatus, then: JobStatus) -> None:
    assert not allowed(now, then)


@pytest.mark.parametrize("status", JobStatus)
def test_no_state_follows_itself(status: JobStatus) -> None:
    assert not allowed(status, status)


@pytest.mark.parametrize("status", sorted(set(JobStatus) - TERMINAL))
def test_every_unfinished_job_can_fail_and_be_canceled(status: JobStatus) -> None:
    assert allowed(status, JobStatus.FAILED)
    assert allowed(status, JobStatus.CANCELED)


def test_only_a_running_job_succeeds_or_waits_again() -> None:
    for then in (JobStatus.SUCCEEDED, JobStatus.PENDING):
        assert [now for now in JobStatus if allowed(now, then)] == [JobStatus.RUNNING]


def test_only_a_waiting_job_is_claimed() -> None:
    assert {now for now in JobStatus if allowed(now, JobStatus.RUNNING)} == {
        JobStatus.CREATED,
        JobStatus.PENDING,
    }


def test_a_job_never_becomes_new_again() -> None:
    assert not any(allowed(now, JobStatus.CREATED) for now in JobStatus)


def test_an_illegal_move_names_both_states() -> None:
    with pytest.raises(IllegalTransition, match="a succeeded job cannot become running"):
        check_transition(JobStatus.SUCCEEDED, JobStatus.RUNNING)


@given(st.integers(1, 10), st.lists(st.booleans(), min_size=100, max_size=100))
def test_a_job_is_run_a_bounded_number_of_times(
    allowed_attempts: int, reaches_the_models: list[bool]
) -> None:
    attempts = claims = 0
    for reached in reaches_the_models:
        claims += 1
        attempts += reached
        if after_crash(attempts, claims, allowed_attempts) is Interrupted.GIVE_UP:
            break
    assert attempts <= allowed_attempts
    assert claims <= 10 * allowed_attempts


@pytest.mark.parametrize(
    ("attempts", "claims", "then"),
    [
        (0, 1, Interrupted.RUN_AGAIN),
        (2, 2, Interrupted.RUN_AGAIN),
        (3, 3, Interrupted.GIVE_UP),
        (0, 29, Interrupted.RUN_AGAIN),
        (0, 30, Interrupted.GIVE_UP),
    ],
)
def test_what_becomes_of_a_job_after_a_crash(attempts: int, claims: int, then: Interrupted) -> None:
    assert after_crash(attempts, claims, 3) is then
