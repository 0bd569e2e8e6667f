"""The most that a kind of job takes, where the contract allows it less than the server's limits."""

from typing import NamedTuple

from onprem.errors import JobFailure


class Bounds(NamedTuple):
    """`too_large` and `too_long` are what a job beyond them ends with."""

    bytes: int
    seconds: float
    too_large: type[JobFailure]
    too_long: type[JobFailure]
