"""The invariants, the sweep and the clock, as the store shows them."""

from collections.abc import Iterator

from onprem.clock import SMALL_LEAD
from onprem.services.compliance import STALE_SECONDS
from onprem.services.doctor import catalogue
from onprem.services.doctor.finding import Finding
from onprem.services.invariants import Violation
from onprem.stamp import Stamp

MOST_OF_A_CODE = 10


def promises(violations: list[Violation], *, serving: bool) -> Iterator[Finding]:
    """Violations, by the dozen at most; what a start mends is only at risk until then."""
    left_over = [] if serving else [each for each in violations if each.left_over]
    firm = [each for each in violations if each not in left_over]
    found: dict[str, list[Violation]] = {}
    for each in firm:
        found.setdefault(each.number, []).append(each)
    for number, of_number in found.items():
        kind = catalogue.OF_INVARIANT[number]
        for each in of_number[:MOST_OF_A_CODE]:
            yield kind.found(what=each.sentence)
        if (more := len(of_number) - MOST_OF_A_CODE) > 0:
            yield catalogue.MORE_OF_IT.found(count=more, code=kind.code)
    if left_over:
        what = left_over[0].sentence
        if len(left_over) > 1:
            what += f", and {len(left_over) - 1} more"
        yield catalogue.UNCLEAN_STOP.found(what=what)


def sweeps(
    last_sweep: float | None, stamp: Stamp, *, serving: bool, content: bool
) -> Iterator[Finding]:
    """`content`: whether anything is stored that has a deadline."""
    age = None if last_sweep is None else stamp.at - last_sweep
    if age is not None and age <= STALE_SECONDS:
        return
    if serving:
        if age is None:
            yield catalogue.NEVER_SWEPT.found()
        else:
            yield catalogue.SWEEP_STALE.found(age=spoken(age))
    elif content and age is not None:
        yield catalogue.NOTHING_SWEEPS.found(age=spoken(age))


def clocks(stamp: Stamp) -> Iterator[Finding]:
    if not stamp.synchronised:
        yield catalogue.CLOCK_UNSYNCHRONISED.found()
    lead = stamp.at - stamp.wall
    if lead > SMALL_LEAD:
        yield catalogue.CLOCK_AHEAD.found(lead=spoken(lead))
    elif -lead > SMALL_LEAD:
        yield catalogue.CLOCK_BEHIND.found(lag=spoken(-lead))


def spoken(seconds: float) -> str:
    """A length of time, to the precision that matters to a reader."""
    for unit, length in (("d", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
