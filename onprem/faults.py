"""A fault names one field of what somebody sent or wrote, and says what is wrong with it."""

from typing import NamedTuple


class Fault(NamedTuple):
    """`field` in the writer's own spelling (``numSpeakers``, ``server.port``); a full sentence."""

    field: str
    message: str
