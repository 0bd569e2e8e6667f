"""Whether deadlines are kept at this moment: what `/healthz/compliance` answers, what feeds the
watchdog, and what metrics show.

Something is due when its deadline has passed, and overdue when the sweep has had `GRACE_SECONDS`
for it as well. Worker copies are neither: they end with their job, so what counts is whether
somebody still works on each.
"""

from collections.abc import Collection
from typing import Protocol

import msgspec

from onprem.clock import Clock
from onprem.core.canary import Verdict
from onprem.core.receipt import ArtefactKind
from onprem.core.retention import GRACE_SECONDS
from onprem.media.worker_copy import WorkerMemory
from onprem.store import canaries, retained
from onprem.store.database import Database
from onprem.store.verification import VerificationFailures

STALE_SECONDS = 120.0
"""A sweep runs every 30 s: after this time it does not run any more, or never to its end."""


class SweepHealth:
    """When the last sweep of this process ended well."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._completed_at = clock.now()  # a start counts as one: it gets the same time

    def completed(self) -> None:
        self._completed_at = self._clock.now()

    @property
    def age(self) -> float:
        """Seconds since then."""
        return max(0.0, self._clock.now() - self._completed_at)


class Runs(Protocol):
    """The runner, as far as it is asked here."""

    @property
    def in_work(self) -> Collection[str]:
        """Ids of the jobs whose runs have not ended."""
        ...


class KindState(msgspec.Struct, frozen=True, rename="camel"):
    """Live artefacts of a kind. `oldest_seconds` is the age of the oldest one; null: there is
    none. `due` are past their deadline, `overdue` by more than the sweep's time."""

    live: int
    oldest_seconds: float | None
    due: int
    overdue: int


class WorkerCopies(msgspec.Struct, frozen=True, rename="camel"):
    """`bytes` of memory that they may use; `without_run` are those that nobody works on."""

    live: int
    without_run: int
    bytes: int


class Verification(msgspec.Struct, frozen=True):
    """Deletions that were not confirmed: since the start, and not made good yet."""

    failures: int
    unresolved: int


class ClockState(msgspec.Struct, frozen=True, rename="camel"):
    """`offset_seconds`: how far the machine's time of day is ahead of retention time."""

    offset_seconds: float
    synchronised: bool


class CanaryState(msgspec.Struct, frozen=True, rename="camel"):
    """The last canary that was looked for to its end; `proven_seconds`: how long ago one was seen
    to be gone, null: never."""

    verdict: Verdict | None
    proven_seconds: float | None


class Problem(msgspec.Struct, frozen=True):
    code: str
    message: str


class ComplianceReport(msgspec.Struct, frozen=True, rename="camel"):
    """`status` is `kept`, or `violated` with at least one problem."""

    status: str
    problems: list[Problem]
    kinds: dict[ArtefactKind, KindState]
    last_sweep_age_seconds: float
    verification: Verification
    worker_copies: WorkerCopies
    canary: CanaryState
    clock: ClockState

    @property
    def kept(self) -> bool:
        return not self.problems

    @property
    def overdue(self) -> int:
        return sum(state.overdue for state in self.kinds.values())

    @property
    def swept(self) -> bool:
        """Whether the last sweep is fresh."""
        return self.last_sweep_age_seconds <= STALE_SECONDS


class Compliance:
    def __init__(
        self,
        database: Database,
        sweep: SweepHealth,
        verification: VerificationFailures,
        memory: WorkerMemory,
        runs: Runs,
        clock: Clock,
    ) -> None:
        self._database = database
        self._sweep = sweep
        self._verification = verification
        self._memory = memory
        self._runs = runs
        self._clock = clock

    async def report(self) -> ComplianceReport:
        """As it is now. Raises StoreBusy, DiskFailed: it cannot be known."""
        kinds = await self._kinds()
        age = self._sweep.age
        unresolved = await self._verification.unresolved(self._database)
        canary = await self._canary()
        problems = [
            *_overdue(kinds),
            *_stale(age),
            *_unverified(unresolved),
            *_found(canary),
        ]
        stamp = self._clock.stamp()
        return ComplianceReport(
            status="violated" if problems else "kept",
            problems=problems,
            kinds=kinds,
            last_sweep_age_seconds=round(age, 3),
            verification=Verification(self._verification.count(), unresolved),
            worker_copies=await self._worker_copies(),
            canary=canary,
            clock=ClockState(round(stamp.wall - stamp.at, 3), stamp.synchronised),
        )

    async def _kinds(self) -> dict[ArtefactKind, KindState]:
        now = self._clock.now()
        return {
            each.kind: KindState(
                each.live,
                None if each.oldest_at is None else round(max(0.0, now - each.oldest_at), 3),
                each.due,
                each.overdue,
            )
            for each in await retained.by_kind(self._database, now=now, grace=GRACE_SECONDS)
        }

    async def _canary(self) -> CanaryState:
        looked_for = [verdict for verdict in Verdict if verdict is not Verdict.INTERRUPTED]
        last = await canaries.last_trial(self._database, *looked_for)
        gone = await canaries.last_trial(self._database, Verdict.GONE)
        return CanaryState(
            verdict=last.verdict if last else None,
            proven_seconds=round(self._clock.now() - gone.ended_at, 3) if gone else None,
        )

    async def _worker_copies(self) -> WorkerCopies:
        copies = await retained.worker_copies(self._database)
        in_work = self._runs.in_work
        left = sum(copy.job_id not in in_work for copy in copies)
        return WorkerCopies(len(copies), left, self._memory.in_use)


def _overdue(kinds: dict[ArtefactKind, KindState]) -> list[Problem]:
    return [
        Problem(
            "overdue",
            f"More than {GRACE_SECONDS:.0f} s past their deadline: {state.overdue} of kind {kind}."
            " No read shows them any more; the log says why the sweep cannot delete them.",
        )
        for kind, state in kinds.items()
        if state.overdue
    ]


def _stale(age: float) -> list[Problem]:
    if age <= STALE_SECONDS:
        return []
    message = f"No sweep ended well for {age:.0f} s; the log says why. One runs every 30 s."
    return [Problem("sweep_stale", message)]


def _found(canary: CanaryState) -> list[Problem]:
    if canary.verdict is None or canary.verdict.kept:
        return []
    message = (
        f"The last canary was {canary.verdict}: the ledger names the files that hold bytes of it."
    )
    return [Problem("canary_found", message)]


def _unverified(unresolved: int) -> list[Problem]:
    if not unresolved:
        return []
    message = (
        f"Deletions that reading back does not confirm: {unresolved}. Every sweep tries again;"
        " the log names what resists."
    )
    return [Problem("deletion_unverified", message)]
