"""The queue: projects take turns, places decide who fits, and time in it goes on."""

import random

import pytest

from onprem.core.receipt import ArtefactKind
from onprem.core.retention import output_life
from onprem.store import jobs, projects, queue
from onprem.store.jobs import Job
from onprem.store.queue import Places
from tests.support.store import NOW, OpenStore

HERE = ["here"]
ROOM = Places(short=600, for_long=True, for_others=True)


async def project(store: OpenStore, name: str) -> str:
    async with store.database.write() as tx:
        return (await projects.insert(tx, name, now=NOW)).id


async def submit(store: OpenStore, job_id: str, project_id: str, now: float = NOW) -> None:
    request = await store.keep(b"request", ArtefactKind.REQUEST, job_id)
    async with store.database.write() as tx:
        await jobs.insert(
            tx,
            job_id=job_id,
            project_id=project_id,
            kind="diarize",
            region="here",
            media_id=None,
            request_id=request,
            output_life=output_life(None),
            now=now,
        )


async def claim(store: OpenStore, places: Places = ROOM, now: float = NOW) -> Job | None:
    async with store.database.write() as tx:
        return await queue.claim_next(tx, regions=HERE, places=places, now=now)


async def found(store: OpenStore, job_id: str) -> Job:
    job = await jobs.get(store.database, job_id, store.project_id)
    assert job is not None
    return job


async def put_back(store: OpenStore, job: Job, duration: float, now: float = NOW) -> None:
    async with store.database.write() as tx:
        await queue.put_back(tx, job, duration=duration, now=now)


@pytest.mark.parametrize("seed", range(8))
async def test_no_project_has_a_second_turn_while_another_waits_for_its_first(
    store: OpenStore, seed: int
) -> None:
    """Whatever comes when: between two turns of one project all others that wait have theirs."""
    luck = random.Random(seed)
    ids = [await project(store, f"p{number}") for number in range(3)]
    waiting: dict[str, list[str]] = {each: [] for each in ids}
    waits_for: dict[str, set[str]] = {}  # of whom the others have had a turn since
    submitted = 0
    for _ in range(40):
        if luck.random() < 0.6:
            owner = luck.choice(ids)
            await submit(store, f"j{submitted}", owner)
            waiting[owner].append(f"j{submitted}")
            submitted += 1
            continue
        job = await claim(store)
        if job is None:
            assert not any(waiting.values())
            continue
        owner = job.project_id
        assert job.id == waiting[owner].pop(0)  # in the order of submission
        for each, served in waits_for.items():
            if each != owner:
                assert owner not in served, "a second turn while another waits"
                served.add(owner)
        waits_for = {
            each: set() if each == owner else waits_for.get(each, set())
            for each in ids
            if waiting[each]
        }


@pytest.mark.parametrize(
    ("places", "claimed"),
    [
        (ROOM, "long"),
        (Places(short=600, for_long=False, for_others=True), "unknown"),
        (Places(short=600, for_long=True, for_others=False), "long"),
        (Places(short=9000, for_long=False, for_others=True), "long"),
        (Places(short=600, for_long=False, for_others=False), None),
    ],
)
async def test_a_place_is_for_recordings_of_its_length(
    store: OpenStore, places: Places, claimed: str | None
) -> None:
    await submit(store, "long", store.project_id)
    job = await claim(store)
    assert job is not None
    await put_back(store, job, duration=7200.0)
    await submit(store, "unknown", store.project_id)
    next_one = await claim(store, places)
    assert (next_one.id if next_one else None) == claimed


async def test_a_job_that_is_put_back_keeps_its_place_and_its_time(store: OpenStore) -> None:
    for name in ("first", "second"):
        await submit(store, name, store.project_id)
    job = await claim(store, now=NOW + 10)
    assert job is not None and job.id == "first"
    await put_back(store, job, duration=7200.0, now=NOW + 20)
    job = await found(store, "first")
    assert (job.status, job.claims, job.attempts, job.duration) == ("pending", 0, 0, 7200.0)
    assert [each.id for each in await queue.waiting_since(store.database, NOW + 1)] == [
        "first",
        "second",
    ]
    again = await claim(store)
    assert again is not None and again.id == "first"


async def test_an_interrupted_job_has_its_whole_time_again(store: OpenStore) -> None:
    await submit(store, "first", store.project_id)
    job = await claim(store, now=NOW + 10)
    assert job is not None
    async with store.database.write() as tx:
        await queue.requeue(tx, job, claims_back=1, attempts_back=0, now=NOW + 20)
    assert await queue.waiting_since(store.database, NOW + 20) == []
    assert len(await queue.waiting_since(store.database, NOW + 21)) == 1


async def test_what_is_ahead(store: OpenStore) -> None:
    other = await project(store, "other")
    for number in range(5):
        await submit(store, f"o{number}", other)
    for number in range(3):
        await submit(store, f"m{number}", store.project_id)
    await claim(store)  # o0 runs
    positions = []
    for number in range(3):
        ahead = await queue.ahead(store.database, await found(store, f"m{number}"))
        positions.append((ahead.position, ahead.jobs))
    # The running one, and of each project as many as in a round robin come first.
    assert positions == [(1, 2), (2, 4), (3, 6)]


async def test_unfinished_jobs_are_counted_by_project_and_in_all(store: OpenStore) -> None:
    other = await project(store, "other")
    await submit(store, "a", store.project_id)
    await submit(store, "b", other)
    running = await claim(store)
    assert running is not None
    async with store.database.write() as tx:
        assert await queue.unfinished(tx) == 2
        assert await queue.unfinished(tx, other) == 1
        await jobs.finish(tx, running, jobs.JobStatus.CANCELED, now=NOW)
        assert await queue.unfinished(tx) == 1
        assert await queue.unfinished(tx, running.project_id) == 0
