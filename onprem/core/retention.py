"""How long things live: what an operator, a project and a job may ask for, and what then holds."""

import msgspec

MEDIA_CEILING = 48 * 3600
OUTPUT_CEILING = 24 * 3600
"""Seconds. The promise to everybody: settings can shorten it, never lengthen it."""
GRACE_SECONDS = 60.0
"""Time that the sweep may take after a deadline."""
DELIVERED_SECONDS = 60.0
"""How long an output that was asked to go after its delivery stays from then on."""


class OutputLife(msgspec.Struct, frozen=True):
    """`seconds` from the job's end at the latest; `until_delivered`: or a minute after delivery."""

    seconds: float
    until_delivered: bool


def output_life(*asked: float | None) -> OutputLife:
    """The strictest of what was asked for, in seconds; 0: until it is delivered; None: nothing.

    Nobody lengthens what another asked for: neither the time, nor by a time what is to go with
    its delivery.
    """
    named = [each for each in asked if each is not None]
    times = [each for each in named if each > 0]
    return OutputLife(min([*times, OUTPUT_CEILING]), 0 in named)


def media_life(*asked: float | None) -> float:
    """Seconds from the end of the upload: the least of what was asked for."""
    return min([MEDIA_CEILING, *(each for each in asked if each is not None)])
