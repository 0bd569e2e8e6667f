"""Compliance: what is due, what is overdue, and what else is no more as promised."""

import pytest

from onprem.core.canary import Trial, Verdict
from onprem.core.receipt import ArtefactKind
from onprem.core.retention import GRACE_SECONDS
from onprem.media.worker_copy import WorkerMemory
from onprem.services.compliance import (
    STALE_SECONDS,
    Compliance,
    ComplianceReport,
    SweepHealth,
)
from onprem.store.canaries import Canaries
from onprem.store.retained import BY_KIND
from onprem.store.verification import REMEMBERED
from tests.support.clock import FakeClock
from tests.support.store import LATER, NOW, OpenStore

UNTIL_DUE = LATER - NOW


class Runs:
    def __init__(self) -> None:
        self.in_work: set[str] = set()


@pytest.fixture
def runs() -> Runs:
    return Runs()


@pytest.fixture
def sweep(clock: FakeClock) -> SweepHealth:
    return SweepHealth(clock)


@pytest.fixture
def compliance(store: OpenStore, sweep: SweepHealth, runs: Runs, clock: FakeClock) -> Compliance:
    memory = WorkerMemory(1000)
    return Compliance(store.database, sweep, store.artefacts.verification, memory, runs, clock)


def codes(report: ComplianceReport) -> list[str]:
    assert report.kept == (report.status == "kept") == (not report.problems)
    return [problem.code for problem in report.problems]


async def test_an_empty_store_keeps_all_promises(compliance: Compliance) -> None:
    report = await compliance.report()
    assert codes(report) == []
    assert ArtefactKind.WORKER_COPY not in report.kinds
    assert {(each.live, each.oldest_seconds) for each in report.kinds.values()} == {(0, None)}
    assert len(report.kinds) == len(ArtefactKind) - 1


async def test_what_is_past_its_deadline_is_due_and_after_the_grace_overdue(
    store: OpenStore, compliance: Compliance, sweep: SweepHealth, clock: FakeClock
) -> None:
    await store.keep(b"output")
    for seconds, due, overdue in ((UNTIL_DUE - 1, 0, 0), (1, 1, 0), (GRACE_SECONDS, 1, 0)):
        clock.advance(seconds)
        sweep.completed()
        state = (await compliance.report()).kinds[ArtefactKind.OUTPUT]
        assert (state.live, state.due, state.overdue) == (1, due, overdue)
    clock.advance(1)
    report = await compliance.report()
    assert codes(report) == ["overdue"]
    assert report.overdue == report.kinds[ArtefactKind.OUTPUT].overdue == 1
    assert "kind output" in report.problems[0].message
    assert report.kinds[ArtefactKind.MEDIA].overdue == 0


async def test_the_oldest_of_each_kind(
    store: OpenStore, compliance: Compliance, clock: FakeClock
) -> None:
    await store.keep(b"output")
    await store.keep(b"audio", ArtefactKind.MEDIA)
    async with store.database.write() as tx:
        await tx.execute("UPDATE artefact SET created_at = created_at - 7 WHERE kind = 'media'")
    clock.advance(10)
    kinds = (await compliance.report()).kinds
    assert kinds[ArtefactKind.OUTPUT].oldest_seconds == 10
    assert kinds[ArtefactKind.MEDIA].oldest_seconds == 17


async def test_a_sweep_that_does_not_end_well_is_stale(
    compliance: Compliance, sweep: SweepHealth, clock: FakeClock
) -> None:
    clock.advance(STALE_SECONDS)
    assert codes(await compliance.report()) == []
    clock.advance(1)
    report = await compliance.report()
    assert (codes(report), report.swept) == (["sweep_stale"], False)
    sweep.completed()
    assert codes(await compliance.report()) == []


async def test_a_deletion_that_is_not_confirmed_counts_until_the_row_is_gone(
    store: OpenStore, compliance: Compliance
) -> None:
    record = await store.keep(b"output")
    store.artefacts.verification.record_resisted(record)
    store.artefacts.verification.record_resisted(record)
    report = await compliance.report()
    assert codes(report) == ["deletion_unverified"]
    assert (report.verification.failures, report.verification.unresolved) == (2, 1)
    async with store.database.write() as tx:  # as another process deletes it
        await tx.execute("DELETE FROM artefact")
    report = await compliance.report()
    assert codes(report) == []
    assert (report.verification.failures, report.verification.unresolved) == (2, 0)


async def test_a_log_that_a_reader_holds_counts_until_it_is_emptied(
    store: OpenStore, compliance: Compliance
) -> None:
    store.artefacts.verification.log_resisted()
    assert codes(await compliance.report()) == ["deletion_unverified"]
    store.artefacts.verification.log_emptied()
    assert codes(await compliance.report()) == []


async def test_records_without_end_are_counted_and_not_all_remembered(store: OpenStore) -> None:
    verification = store.artefacts.verification
    for number in range(REMEMBERED + 5):
        verification.record_resisted(number.to_bytes(16, "big"))
    assert verification.count() == REMEMBERED + 5
    assert await verification.unresolved(store.database) == 0


async def test_worker_copies_are_never_due_and_somebody_works_on_each(
    store: OpenStore, compliance: Compliance, runs: Runs, sweep: SweepHealth, clock: FakeClock
) -> None:
    for job_id in ("mine", "nobodys"):
        async with store.database.write() as tx:
            await store.artefacts.note_worker_copy(
                tx, project_id=store.project_id, job_id=job_id, now=NOW
            )
    runs.in_work = {"mine"}
    clock.advance(24 * 3600)
    sweep.completed()
    report = await compliance.report()
    assert codes(report) == []
    assert (report.worker_copies.live, report.worker_copies.without_run) == (2, 1)


async def test_the_offset_of_the_time_of_day(compliance: Compliance, clock: FakeClock) -> None:
    clock.step_wall(-3600)
    assert (await compliance.report()).clock.offset_seconds == -3600


async def test_counting_reads_no_ciphertext(store: OpenStore) -> None:
    plan = await store.database.fetchall(f"EXPLAIN QUERY PLAN {BY_KIND}", (NOW, NOW))
    assert "COVERING INDEX artefact_kind" in plan[0][3]


@pytest.mark.parametrize(
    ("verdict", "found"),
    [
        (Verdict.GONE, []),
        (Verdict.UNPROVEN, []),
        (Verdict.LEFT, ["canary_found"]),
        (Verdict.EXPOSED, ["canary_found"]),
    ],
)
async def test_a_canary_that_was_found_is_a_violation_until_the_next_is_gone(
    store: OpenStore, compliance: Compliance, clock: FakeClock, verdict: Verdict, found: list[str]
) -> None:
    canaries = Canaries(store.database, store.artefacts, clock)

    async def ended(verdict: Verdict) -> None:
        await canaries.note(Trial(verdict, [], clock.now(), clock.now(), clock.now()))

    await ended(verdict)
    await ended(Verdict.INTERRUPTED)
    report = await compliance.report()
    assert (codes(report), report.canary.verdict) == (found, verdict)
    await ended(Verdict.GONE)
    clock.advance(30)
    report = await compliance.report()
    assert codes(report) == []
    assert report.canary.proven_seconds == 30
