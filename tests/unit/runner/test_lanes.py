"""Which lane a recording takes, and what there is room for."""

from typing import cast

import msgspec

from onprem.runner.lanes import Lane, Lanes
from onprem.store.jobs import Job
from onprem.store.queue import Places


class Claimed(msgspec.Struct, frozen=True):
    """As much of a job as lanes look at."""

    id: str
    duration: float | None = None


def begin(lanes: Lanes, job_id: str, duration: float | None = None) -> None:
    lanes.begin(cast(Job, Claimed(job_id, duration)))


def room(*, for_long: bool, for_others: bool) -> Places:
    return Places(short=600.0, for_long=for_long, for_others=for_others)


def lanes_for(jobs_in_work: int = 2) -> Lanes:
    return Lanes(short_recording=600.0, jobs_in_work=jobs_in_work)


def test_a_recording_of_just_the_length_is_short() -> None:
    lanes = lanes_for()
    begin(lanes, "a")
    assert lanes.settle("a", 600.0) is Lane.SHORT
    assert lanes.settle("a", 600.1) is Lane.LONG


def test_places_are_for_jobs_of_unknown_length_and_one_more_for_a_long_one() -> None:
    lanes = lanes_for(jobs_in_work=2)
    assert lanes.places() == room(for_long=True, for_others=True)
    begin(lanes, "a")
    begin(lanes, "b")
    assert lanes.places() == room(for_long=True, for_others=False)
    # One turns out long: it takes the place for that, and its own is free.
    assert lanes.settle("a", 7200.0) is Lane.LONG
    assert lanes.places() == room(for_long=False, for_others=True)
    # The other does, too, and there is no place for it.
    assert lanes.settle("b", 7200.0) is None
    lanes.end("b")
    assert lanes.places() == room(for_long=False, for_others=True)
    lanes.end("a")
    assert lanes.places() == room(for_long=True, for_others=True)


def test_one_that_is_known_to_be_long_takes_that_place_from_the_start() -> None:
    lanes = lanes_for()
    begin(lanes, "a", 7200.0)
    assert lanes.places() == room(for_long=False, for_others=True)
    assert lanes.settle("a", 7200.0) is Lane.LONG


def test_one_with_a_client_on_the_line_takes_no_place() -> None:
    lanes = lanes_for(jobs_in_work=1)
    begin(lanes, "a", 7200.0)
    assert lanes.settle("call", 7200.0) is Lane.LONG
    assert lanes.settle("call", 1.0) is Lane.SHORT
    lanes.end("call")
    assert lanes.places() == room(for_long=False, for_others=True)
