"""The canary: continuous proof that what is deleted is gone.

Every so often a synthetic record with a random marker is kept, as uploads and outputs are. While
it lives, a scan of every place where bytes can live must find its ciphertext and its key, which
shows that the scan can find them, and must not find its plaintext. After its deadline, when the
sweep has deleted it as it deletes everything, the scan must find none of them. The result is
noted in the ledger.
"""

import asyncio
import logging
import secrets

import msgspec

from onprem.clock import Clock
from onprem.core.canary import Trace, Trial, Verdict
from onprem.core.retention import GRACE_SECONDS
from onprem.errors import described
from onprem.store.artefacts import INLINE_BYTES
from onprem.store.byte_scan import Hit, Place, Scan, scan
from onprem.store.canaries import Canaries

logger = logging.getLogger(__name__)

SCAN_SECONDS = 900.0
"""A scan that takes longer proves nothing."""
LIFE_SECONDS = 60.0
"""How long a canary lives."""
CHECK_SECONDS = 15
"""How often it is looked after."""
SIZES = (4_000, 100_000)
"""Bytes of its parts: one lies in the database, one in a blob file."""

_EXCERPT = 32
_STEPS = (1024, 4096)
"""Bytes from one excerpt of a ciphertext to the next, in the database and in a blob: less than a
page or a block holds."""
_EARLIER = 5.0
"""Seconds by which file times may lag behind the wall clock."""


_NOTHING = Scan([], 0, 0)


class _Planted(msgspec.Struct, frozen=True):
    """A live canary, and what to look for after its death: in memory only."""

    records: list[bytes]
    created_at: float
    due_at: float
    wall: float
    plaintext: list[bytes]
    ciphertext: list[bytes]
    key: list[bytes]
    control: Scan


class Canary:
    """`period`: seconds from one canary to the next."""

    def __init__(
        self, canaries: Canaries, places: list[Place], clock: Clock, *, period: float
    ) -> None:
        self._canaries = canaries
        self._places = places
        self._clock = clock
        self._period = period
        self._planted: _Planted | None = None
        self._scanning: asyncio.Task[Scan] | None = None
        self._stopping = False
        self._next_at: float | None = None

    def stop(self) -> None:
        """A scan in work ends at once; its canary is unproven."""
        self._stopping = True
        if self._scanning is not None:
            self._scanning.cancel()

    async def run(self) -> None:
        """Plant one if it is time, or look after the one that is there.

        Raises:
            OnpremError, OSError: it is tried again.
        """
        if self._next_at is None:
            await self._begin()
        if self._planted is not None:
            await self._look_after(self._planted)
        elif self._next_at is not None and self._clock.now() >= self._next_at:
            self._planted = await self._plant()
            self._next_at = self._planted.created_at + self._period

    async def _begin(self) -> None:
        """Those of the last process cannot be looked for any more; they are deleted as all is."""
        now = self._clock.now()
        if left := await self._canaries.live():
            names = [record.hex() for record in left]
            await self._canaries.note(Trial(Verdict.INTERRUPTED, names, now, now, now))
        self._next_at = now

    async def _plant(self) -> _Planted:
        now, wall = self._clock.now(), self._clock.wall()
        marker = secrets.token_bytes(32)
        records = await self._canaries.keep(
            [marker * (size // len(marker)) for size in SIZES], now=now, due_at=now + LIFE_SECONDS
        )
        found = [await self._canaries.at_rest(record) for record in records]
        at_rest = [each for each in found if each is not None]
        planted = _Planted(
            records=records,
            created_at=now,
            due_at=now + LIFE_SECONDS,
            wall=wall,
            plaintext=[marker, marker.hex().encode()],
            ciphertext=[part for each in at_rest for part in _excerpts(each.ciphertext)],
            key=[part for each in at_rest for part in (each.key, each.wrapped)],
            control=_NOTHING,
        )
        control = await self._scan(planted)
        return msgspec.structs.replace(planted, control=control or _NOTHING)

    async def _look_after(self, planted: _Planted) -> None:
        # Until then SQLite's log may hold it, if a reader held that; later, compliance says so.
        if self._clock.now() < planted.due_at + GRACE_SECONDS:
            return
        if set(planted.records) & set(await self._canaries.live()):
            return
        after = await self._scan(planted)
        verdict = Verdict.UNPROVEN if after is None else _verdict(planted.control, after)
        after = after or _NOTHING
        traces = after.hits if verdict is not Verdict.EXPOSED else _plain(planted.control)
        trial = Trial(
            verdict=verdict,
            artefacts=[record.hex() for record in planted.records],
            created_at=planted.created_at,
            due_at=planted.due_at,
            ended_at=self._clock.now(),
            places=[place.name for place in self._places],
            traces=[Trace(hit.pattern, hit.place, hit.file) for hit in traces],
            files=after.files,
            bytes=after.bytes,
        )
        await self._canaries.note(trial)
        self._planted = None
        if not verdict.kept:
            logger.error("the canary was found: %s", verdict)

    async def _scan(self, planted: _Planted) -> Scan | None:
        """None: it did not come to its end.

        Files that were not written since it was planted cannot hold it; unless the wall clock, by
        which files are dated, was set meanwhile.
        """
        passed = self._clock.now() - planted.created_at
        clock_ran = abs(self._clock.wall() - planted.wall - passed) < _EARLIER / 2
        since = planted.wall - _EARLIER if clock_ran else None
        patterns = {
            "plaintext": planted.plaintext,
            "ciphertext": planted.ciphertext,
            "key": planted.key,
        }
        self._scanning = asyncio.create_task(scan(self._places, patterns, changed_since=since))
        try:
            async with asyncio.timeout(SCAN_SECONDS):
                return await self._scanning
        except (TimeoutError, OSError) as error:
            logger.warning("the scan for the canary proves nothing: %s", described(error))
            return None
        except asyncio.CancelledError:
            if not self._stopping:
                raise
            return None
        finally:
            self._scanning.cancel()


def _verdict(control: Scan, after: Scan) -> Verdict:
    if _plain(control):
        return Verdict.EXPOSED
    if after.hits:
        return Verdict.LEFT
    found = {hit.pattern for hit in control.hits}
    return Verdict.GONE if {"ciphertext", "key"} <= found else Verdict.UNPROVEN


def _excerpts(ciphertext: bytes) -> list[bytes]:
    """From all over it, so that a part that was left is found too."""
    step = _STEPS[len(ciphertext) > INLINE_BYTES]
    starts = range(0, len(ciphertext) - _EXCERPT, step)
    return [ciphertext[start : start + _EXCERPT] for start in starts]


def _plain(scan: Scan) -> list[Hit]:
    return [hit for hit in scan.hits if hit.pattern == "plaintext"]
