"""Carrying out a purge: what resists is loud, what is repeated does no harm."""

import sqlite3
from contextlib import closing, nullcontext

import pytest

from onprem.core.act import ActKind
from onprem.core.purge import Selection, What
from onprem.core.receipt import DeletionReason
from onprem.errors import NotFound, PurgeFailed, RunsStopping, StorageFull
from onprem.services.purge import Purge, Purged
from onprem.store import jobs, ledger
from onprem.store.artefacts import ArtefactStore
from onprem.store.canaries import PROJECT as CANARIES, Canaries
from onprem.store.chain import LEDGER
from tests.support.population import JobRecipe, MediaRecipe, Population, populate
from tests.support.purging import ACTOR, purge_of
from tests.support.store import NOW, OpenStore, log_of, size_of

ALL = Selection(What.ALL)


@pytest.fixture
def purge(store: OpenStore) -> Purge:
    return purge_of(store)


@pytest.fixture
async def made(store: OpenStore) -> Population:
    """Media, a waiting job, one with an output and a webhook, one that runs."""
    jobs = [JobRecipe(0, "waiting"), JobRecipe(0, "edited", webhook=True), JobRecipe(1, "running")]
    return await populate(store, [MediaRecipe(0), MediaRecipe(1)], jobs)


async def purged(purge: Purge, selection: Selection, wait: float = 0) -> Purged:
    return await purge.carry_out(await purge.plan(selection), ACTOR, wait=wait)


async def acts(store: OpenStore) -> list[str]:
    return [entry.body for entry in await LEDGER.entries(store.database, where="kind = 'act'")]


async def test_everything_goes_and_projects_stay(
    store: OpenStore, purge: Purge, made: Population
) -> None:
    done = await purged(purge, ALL)
    done.check()
    assert await store.database.fetchall("SELECT id FROM artefact") == []
    assert store.slots.occupants() == {} and size_of(log_of(store.database)) == 0
    reasons = {each.receipt.reason for each in done.receipts}
    assert reasons == {DeletionReason.PURGED, DeletionReason.CRASH}
    assert len(await store.database.fetchall("SELECT id FROM project WHERE erased_at IS NULL")) == 2
    (act,) = await acts(store)
    assert ActKind.PURGED in act and '"selection":"all"' in act and '"output":{"bytes":13' in act
    assert await LEDGER.first_broken(store.database) is None


async def test_one_job_goes_and_no_other(store: OpenStore, purge: Purge, made: Population) -> None:
    done = await purged(purge, Selection(What.JOB, made.jobs[1]))
    done.check()
    assert {each.receipt.kind for each in done.receipts} == {
        *("request", "destination", "output", "edits")
    }
    assert await jobs.get(store.database, made.jobs[1], made.projects[0]) is None
    assert await jobs.get(store.database, made.jobs[0], made.projects[0]) is not None
    rows = await store.database.fetchall("SELECT state FROM delivery")
    assert rows == [("skipped",)]


async def test_media_goes_with_the_jobs_that_would_read_it(store: OpenStore, purge: Purge) -> None:
    bound = [JobRecipe(0, "waiting", bound=True), JobRecipe(0, "succeeded", bound=True)]
    made = await populate(store, [MediaRecipe(0)], bound)
    project, _, key = made.media[0].partition("/")
    plan = await purge.plan(Selection(What.MEDIA, f"{project}/media://{key}"))
    assert plan.canceled_jobs == [made.jobs[0]] and plan.hidden_jobs == []
    (await purge.carry_out(plan, ACTOR, wait=0)).check()
    statuses = await store.database.fetchall("SELECT status FROM job ORDER BY seq")
    assert statuses == [("canceled",), ("succeeded",)]
    kinds = await store.database.fetchall("SELECT kind FROM artefact ORDER BY kind")
    assert kinds == [("output",), ("request",)]  # of the job that had ended


async def test_a_run_of_a_server_keeps_its_recording_until_it_ends(
    store: OpenStore, made: Population
) -> None:
    beside_a_server = purge_of(store, lambda: nullcontext(False))
    done = await purged(beside_a_server, Selection(What.JOB, made.jobs[2]), wait=0.3)
    assert done.stopping == [made.jobs[2]] and done.left == []
    with pytest.raises(RunsStopping):
        done.check()
    (copy,) = await store.artefacts.worker_copies(made.jobs[2])
    await store.artefacts.delete([copy], DeletionReason.JOB_ENDED, now=store.clock.now())
    (await purged(beside_a_server, Selection(What.JOB, made.jobs[2]))).check()


async def test_what_resists_is_loud_and_goes_the_next_time(
    store: OpenStore, purge: Purge, made: Population, monkeypatch: pytest.MonkeyPatch
) -> None:
    (stubborn,) = (
        row[0]
        for row in await store.database.fetchall("SELECT id FROM artefact WHERE kind = 'output'")
    )
    erase = ArtefactStore._erase

    def resist(self: ArtefactStore, artefact: object) -> bool:
        return artefact.id != stubborn and erase(self, artefact)  # type: ignore[attr-defined,arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(ArtefactStore, "_erase", resist)
        done = await purged(purge, ALL)
    assert [item.artefact_id for item in done.left] == [stubborn.hex()]
    assert done.failures == ["deletion_unverified"]
    with pytest.raises(PurgeFailed, match="1 of 8 records are left"):
        done.check()
    assert stubborn.hex() not in {each.receipt.artefact_id for each in done.receipts}
    (await purged(purge, ALL)).check()
    assert await store.database.fetchall("SELECT id FROM artefact") == []


async def test_a_disk_without_room_for_receipts_keeps_no_key(
    store: OpenStore, purge: Purge, made: Population, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object, **__: object) -> None:
        raise StorageFull()

    with monkeypatch.context() as patch:
        patch.setattr(ledger, "append_receipt", full)
        patch.setattr(ledger, "append_act", full)
        done = await purged(purge, ALL)
    with pytest.raises(PurgeFailed, match="storage_full"):
        done.check()
    assert store.slots.occupants() == {} and done.receipts == []
    again = await purged(purge, ALL)
    again.check()
    assert len(again.receipts) == len(done.left) + 1  # and the recording in memory
    assert len(await acts(store)) == 1


async def test_room_that_is_made_on_the_way_is_used(
    store: OpenStore, purge: Purge, made: Population, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = ledger.append_act
    refused = [StorageFull()]

    async def full_once(*arguments: object, **named: object) -> int:
        if refused:
            raise refused.pop()
        return await append(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(ledger, "append_act", full_once)
    done = await purged(purge, ALL)
    done.check()
    assert len(await acts(store)) == 1
    statuses = await store.database.fetchall("SELECT DISTINCT status FROM job ORDER BY status")
    assert statuses == [("canceled",), ("succeeded",)]


async def test_a_reader_that_holds_the_log_is_told(
    store: OpenStore, purge: Purge, made: Population
) -> None:
    await store.database._writer.execute("PRAGMA busy_timeout = 50")
    with closing(sqlite3.connect(store.database.path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM artefact").fetchall()
        done = await purged(purge, ALL)
        reader.execute("COMMIT")
    assert done.left == [] and done.failures == ["purge_incomplete"]
    with pytest.raises(PurgeFailed, match="purge_incomplete"):
        done.check()
    assert await store.artefacts.verification.unresolved(store.database) == 1
    (await purged(purge, ALL)).check()
    assert await store.artefacts.verification.unresolved(store.database) == 0


async def test_a_canary_dies_by_its_deadline_alone(store: OpenStore, purge: Purge) -> None:
    canaries = Canaries(store.database, store.artefacts, store.clock)
    (canary,) = await canaries.keep([b"synthetic"], now=store.clock.now(), due_at=NOW + 60)
    for selection in (ALL, Selection(What.DUE)):
        assert (await purge.plan(selection)).items == []
    with pytest.raises(NotFound):
        await purge.plan(Selection(What.PROJECT, CANARIES))
    store.clock.advance(60)
    (item,) = (await purge.plan(Selection(What.DUE))).items
    assert (item.record, item.reason) == (canary, DeletionReason.DEADLINE)
