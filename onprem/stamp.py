"""A moment, and which clock says so."""

import msgspec


class Stamp(msgspec.Struct, frozen=True):
    """`at` is retention time, `wall` the machine's time of day; see onprem/clock.py."""

    at: float
    wall: float
    boot_id: str
    synchronised: bool
