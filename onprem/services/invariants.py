"""Whether a data directory keeps the promises: what crash tests and `onprem doctor` ask.

The numbers are those of the design: I1 jobs end, I2 only ciphertext lies on the disk, I3 nothing
outlives its deadline, I4 an artefact is live or has a receipt, I7 database and files agree,
I10 jobs run where they were meant to.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path

from onprem.core.job import TERMINAL, JobStatus
from onprem.core.receipt import ArtefactKind, DeletionReason, Receipt
from onprem.core.regions import served_by
from onprem.errors import RecordKeysUnusable
from onprem.store import free_slots, inspection, ledger
from onprem.store.data_directory import DataDirectory
from onprem.store.database import Database
from onprem.store.inspection import JobRow, LiveArtefact
from onprem.store.seal import sealed_size
from onprem.store.slots import SlotFile

GRACE_SECONDS = 60.0
"""Time that the sweep may take after a deadline."""


async def check_invariants(
    directory: DataDirectory,
    now: float,
    *,
    allowed_attempts: int = 10,
    eu_regions: Collection[str] = (),
) -> list[str]:
    """Every violation as a sentence; empty: all promises hold.

    For a directory that no server runs on, after a start has recovered it: a server at work has
    uploads in progress, which look like left-overs.
    """
    database = Database(directory.database)
    await database.open()
    try:
        if damage := await inspection.damage(database):
            return [f"I7: {line}" for line in damage]  # what its rows say cannot be trusted
        live = await inspection.every_artefact(database)
        receipts = await inspection.every_receipt(database)
        jobs = await inspection.every_job(database)
        found = []
        broken = await ledger.first_broken_entry(database)
        if broken is not None:
            found.append(f"I4: the ledger is broken at entry {broken}")
        found += _jobs_end(jobs, allowed_attempts)
        found += _deadlines(live, receipts, now)
        found += _live_or_receipted(jobs, live, receipts)
        found += _slots(directory, live, await free_slots.every(database))
        found += _files(directory, live)
        found += _regions(jobs, receipts, eu_regions)
        return found
    finally:
        await database.close()


def _jobs_end(jobs: list[JobRow], allowed_attempts: int) -> Iterator[str]:
    for job in jobs:
        if job.status is JobStatus.RUNNING:
            yield f"I1: job {job.id} is running, and no server is"
        if (job.status in TERMINAL) != (job.finished_at is not None):
            yield f"I1: job {job.id} is {job.status}, which its end time contradicts"
        if (job.status in (JobStatus.SUCCEEDED, JobStatus.FAILED)) != (job.output_id is not None):
            yield f"I1: job {job.id} is {job.status}, which its output contradicts"
        if (job.status is JobStatus.FAILED) != (job.error_code is not None):
            yield f"I1: job {job.id} is {job.status}, which its error code contradicts"
        if not 0 <= job.attempts <= min(job.claims, allowed_attempts):
            yield f"I1: job {job.id} had {job.attempts} attempts in {job.claims} runs"


def _deadlines(live: list[LiveArtefact], receipts: list[Receipt], now: float) -> Iterator[str]:
    for each in live:
        kind, late = each.artefact.kind, now - each.artefact.due_at
        if kind is not ArtefactKind.WORKER_COPY and late > GRACE_SECONDS:
            yield f"I3: {_named(kind, each.artefact.id.hex())} is {late:.0f} s past its deadline"
    for receipt in receipts:
        if receipt.reason is DeletionReason.DEADLINE and receipt.deleted_at < receipt.due_at:
            yield f"I3: {_named(receipt.kind, receipt.artefact_id)} was deleted before its deadline"


def _live_or_receipted(
    jobs: list[JobRow], live: list[LiveArtefact], receipts: list[Receipt]
) -> Iterator[str]:
    alive = {each.artefact.id.hex() for each in live}
    deleted = Counter(receipt.artefact_id for receipt in receipts)
    for record in alive & deleted.keys():
        yield f"I4: artefact {record} is live and has a receipt"
    for record, count in deleted.items():
        if count > 1:
            yield f"I4: artefact {record} has {count} receipts"
    for receipt in receipts:
        if not receipt.verified:
            yield f"I4: the deletion of {_named(receipt.kind, receipt.artefact_id)} failed"
    for job in jobs:
        for held in job.held:
            if held is not None and held.hex() not in alive | deleted.keys():
                yield f"I4: artefact {held.hex()} of job {job.id} is gone without a receipt"
    running = {job.id for job in jobs if job.status is JobStatus.RUNNING}
    ended = {job.id for job in jobs if job.status in TERMINAL}
    edits = {job.edits_id for job in jobs}
    for each in live:
        artefact = each.artefact
        if artefact.kind is ArtefactKind.WORKER_COPY and artefact.job_id not in running:
            yield f"I4: job {artefact.job_id} is not running, and its worker copy has no receipt"
        if artefact.kind is ArtefactKind.REQUEST and artefact.job_id in ended:
            yield f"I3: the request of job {artefact.job_id} outlives it"
        if artefact.kind is ArtefactKind.EDITS and artefact.id not in edits:
            yield f"I4: the edits {artefact.id.hex()} were replaced, and have no receipt"


def _slots(directory: DataDirectory, live: list[LiveArtefact], free: set[int]) -> Iterator[str]:
    try:
        slots = SlotFile(directory.slots, b"", 0, writable=False)
    except RecordKeysUnusable as error:
        yield f"I7: {error}"
        return
    occupants, size = slots.occupants(), len(slots)
    slots.close()
    expected = {
        each.artefact.slot: each.artefact.id for each in live if each.artefact.slot is not None
    }
    for slot in expected.keys() | occupants.keys():
        if expected.get(slot) != occupants.get(slot):
            yield f"I7: key slot {slot} does not carry what its row says"
    for slot in expected.keys() & free:
        yield f"I7: key slot {slot} is in use and free"
    for slot in free:
        if slot >= size:
            yield f"I7: key slot {slot} is free, and beyond the end of the key file"


def _files(directory: DataDirectory, live: list[LiveArtefact]) -> Iterator[str]:
    blobs = {}
    for each in live:
        artefact, length = each.artefact, sealed_size(each.artefact.size)
        if each.inline_bytes is not None:
            if each.inline_bytes != length:
                yield f"I2: the ciphertext of artefact {artefact.id.hex()} has a wrong length"
        elif artefact.slot is not None:
            blobs[directory.blobs / artefact.id.hex()] = length
    present = _below(directory.root) | _below(directory.slots.parent)
    present -= _below(directory.root / "models")
    for path, length in blobs.items():
        if path not in present:
            yield f"I7: the blob {path.name} is missing"
        elif path.stat().st_size != length:
            yield f"I2: the blob {path.name} has a wrong length"
    for path in present - blobs.keys() - directory.known_files():
        yield f"I2: {path.name} is no file of ours"


def _regions(
    jobs: list[JobRow], receipts: list[Receipt], eu_regions: Collection[str]
) -> Iterator[str]:
    meant = {job.id: job.region for job in jobs}
    for receipt in receipts:
        if receipt.kind is not ArtefactKind.WORKER_COPY or receipt.job_id not in meant:
            continue
        region = meant[receipt.job_id]
        if region not in served_by(receipt.region, eu_regions):
            yield f"I10: job {receipt.job_id} was meant for {region} and ran in {receipt.region}"


def _below(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if not path.is_dir()}


def _named(kind: ArtefactKind, record: str) -> str:
    return f"the {kind.replace('_', ' ')} {record}"
