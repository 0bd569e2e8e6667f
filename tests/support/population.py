"""Projects with media and jobs in every state, made from a recipe that a test can draw."""

from typing import NamedTuple

from onprem.core.delivery import DeliveryKind
from onprem.core.job import JobKind
from onprem.core.receipt import ArtefactKind
from onprem.core.retention import output_life
from onprem.ids import new_delivery_id
from onprem.runner.finish import CANCELED, Finisher, Outcome
from onprem.store import deliveries, jobs, media, projects, queue
from onprem.store.database import Transaction
from onprem.store.jobs import Job
from tests.support.store import NOW, OpenStore

HOUR = 3600.0
STATES = ("waiting", "running", "succeeded", "edited", "canceled", "deleted")


class JobRecipe(NamedTuple):
    """A job of project `project`; `due`: what it stored is past its deadline."""

    project: int
    state: str
    webhook: bool = False
    bound: bool = False
    due: bool = False


class MediaRecipe(NamedTuple):
    """An upload, `replaced` by another one under its name."""

    project: int
    replaced: bool = False
    due: bool = False


class Population(NamedTuple):
    """What there is: ids of projects and jobs, `PROJECT/KEY` of media, in the recipe's order."""

    projects: list[str]
    jobs: list[str]
    media: list[str]


async def populate(
    store: OpenStore, media_recipes: list[MediaRecipe], job_recipes: list[JobRecipe]
) -> Population:
    """Two projects with all of it."""
    async with store.database.write() as tx:
        other = await projects.insert(tx, "other", now=NOW)
    made = Population([store.project_id, other.id], [], [])
    for number, recipe in enumerate(media_recipes):
        made.media.append(await _upload(store, made, recipe, f"calls/{number}.wav"))
    for number, wanted in enumerate(job_recipes):
        made.jobs.append(await _job(store, made, wanted, f"job-{number}"))
    return made


async def _upload(store: OpenStore, made: Population, recipe: MediaRecipe, key: str) -> str:
    project = made.projects[recipe.project]
    for _ in range(1 + recipe.replaced):
        async with store.database.write() as tx:
            record = await _kept(store, tx, ArtefactKind.MEDIA, project, None, recipe.due)
            await media.put(tx, project, key, record)
    return f"{project}/{key}"


async def _job(store: OpenStore, made: Population, recipe: JobRecipe, job_id: str) -> str:
    project, database = made.projects[recipe.project], store.database
    finisher = Finisher(database, store.artefacts, store.clock)
    async with database.write() as tx:
        request = await _kept(store, tx, ArtefactKind.REQUEST, project, job_id, recipe.due)
        destination = None
        if recipe.webhook:
            destination = await _kept(
                store, tx, ArtefactKind.DESTINATION, project, job_id, recipe.due
            )
        await jobs.insert(
            tx,
            job_id=job_id,
            project_id=project,
            kind=JobKind.DIARIZE,
            region="here",
            media_id=await _newest(tx, project) if recipe.bound else None,
            request_id=request,
            output_life=output_life(None),
            now=NOW,
            destination_id=destination,
        )
        if recipe.webhook:
            await deliveries.plan(tx, new_delivery_id(), job_id=job_id, kind=DeliveryKind.WEBHOOK)
    if recipe.state == "waiting":
        return job_id
    async with database.write() as tx:
        if recipe.state == "running":
            assert await queue.claim(tx, job_id, now=NOW) is not None
            await store.artefacts.note_worker_copy(tx, project_id=project, job_id=job_id, now=NOW)
            return job_id
        if recipe.state == "canceled":
            job = await _found(tx, project, job_id)
            await finisher.conclude(tx, job, CANCELED, now=NOW)
            return job_id
        claimed = await queue.claim(tx, job_id, now=NOW)
        assert claimed is not None
        outcome = Outcome(status=jobs.JobStatus.SUCCEEDED, output=b"what was said")
        await finisher.conclude(tx, claimed, outcome, now=NOW)
        if recipe.state == "edited":
            edits = await _kept(store, tx, ArtefactKind.EDITS, project, job_id, recipe.due)
            await jobs.set_edits(tx, job_id, edits)
        if recipe.state == "deleted":
            await jobs.mark_deleted(tx, job_id, now=NOW)
    return job_id


async def _kept(
    store: OpenStore,
    tx: Transaction,
    kind: ArtefactKind,
    project: str,
    job_id: str | None,
    due: bool,
) -> bytes:
    record = await store.artefacts.keep(
        tx,
        kind,
        b"what was said",
        project_id=project,
        job_id=job_id or "",
        now=NOW,
        due_at=NOW if due else NOW + HOUR,
    )
    if job_id is None:
        await tx.execute("UPDATE artefact SET job_id = NULL WHERE id = ?", (record,))
    return record


async def _found(tx: Transaction, project: str, job_id: str) -> Job:
    job = await jobs.get(tx, job_id, project)
    assert job is not None
    return job


async def _newest(tx: Transaction, project: str) -> bytes | None:
    row = await tx.fetchone(
        "SELECT artefact_id FROM media WHERE project_id = ? ORDER BY rowid DESC LIMIT 1",
        (project,),
    )
    return row[0] if row else None
