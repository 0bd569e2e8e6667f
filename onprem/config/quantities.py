"""Durations and sizes as people write them: ``48h``, ``1GiB``."""

import re
from decimal import Decimal

_DURATION_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_SIZE_UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)")


class Duration(float):
    """Seconds. Written as ``90s``, ``15m``, ``48h``, ``30d`` or ``0``."""

    @classmethod
    def parse(cls, text: str) -> "Duration":
        """Raises ValueError with a sentence for the writer."""
        return cls(_parse(text, _DURATION_UNITS, "a duration such as 90s, 15m, 48h or 30d"))

    def __str__(self) -> str:
        # Deadlines are spoken of in hours, up to a week.
        units = _DURATION_UNITS if self >= 7 * 86400 else {"s": 1, "m": 60, "h": 3600}
        return _write(self, units)


class ByteSize(int):
    """Bytes. Written as ``512KiB``, ``1GiB``."""

    @classmethod
    def parse(cls, text: str) -> "ByteSize":
        """Raises ValueError with a sentence for the writer."""
        return cls(_parse(text, _SIZE_UNITS, "a size such as 512KiB, 100MiB or 1GiB"))

    def __str__(self) -> str:
        return _write(self, _SIZE_UNITS)


def _parse(text: str, units: dict[str, int], example: str) -> Decimal:
    match = _QUANTITY.fullmatch(text.strip())
    if match is None or (match[2] not in units and not (match[2] == "" and float(match[1]) == 0)):
        raise ValueError(f"Expected {example}")
    return Decimal(match[1]) * units.get(match[2], 0)


def _write(value: float, units: dict[str, int]) -> str:
    for unit, factor in reversed(units.items()):
        if value >= factor and value % factor == 0:
            return f"{int(value) // factor}{unit}"
    # All digits and no exponent, so that it can be read back.
    return "0" if value == 0 else f"{Decimal(repr(float(value))):f}{next(iter(units))}"
