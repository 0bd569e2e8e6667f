"""Keeps content and purges it, without HTTP and models: `python -m tests.support.purger SOCKET`.

For each folder on stdin a child does all of it, and its exit status is printed. The child asks
before its system calls (tests/support/system_calls.py) and says through SOCKET what it keeps.
"""

import asyncio
import os
import socket
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import msgspec

from onprem.config.settings import Settings
from onprem.core.delivery import DeliveryKind
from onprem.core.job import JobStatus
from onprem.core.purge import Selection, What
from onprem.core.receipt import ArtefactKind, DeletionReason
from onprem.core.retention import output_life
from onprem.errors import OnpremError, described
from onprem.ids import new_delivery_id, new_job_id, new_record_id
from onprem.runner.finish import Finisher, Outcome
from onprem.runner.recovery import recover_jobs
from onprem.services.sweep import Sweep
from onprem.store import deliveries, erasure, jobs, media, projects, queue
from onprem.store.artefacts import ArtefactStore, AtRest, SealedBlob, label
from onprem.store.database import Database
from onprem.store.erasure import Reach
from onprem.store.jobs import Job
from onprem.store.seal import new_key, seal
from onprem.wiring import running_store
from tests.support.clock import FakeClock
from tests.support.people import OPERATOR
from tests.support.purging import purge_of
from tests.support.server import settings_in
from tests.support.system_calls import ask_before_calls, send_listener

HOUR = 3600.0
SOUND = b"sound-marker-1d8b"
REQUEST = b"url-and-label-marker-77aa"
WEBHOOK = b"webhook-marker-51c9"
TRANSCRIPT = b"transcript-marker-3f9a"
EDITS = b"edits-marker-b04e"
MARKERS = (SOUND, REQUEST, WEBHOOK, TRANSCRIPT, EDITS)

Told = Callable[[AtRest], None]


class Purger:
    """All that a server does to its store, with content that can be found again."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        artefacts: ArtefactStore,
        clock: FakeClock,
        told: Told,
    ) -> None:
        self.database = database
        self.artefacts = artefacts
        self.clock = clock
        self.finisher = Finisher(database, artefacts, clock)
        self.sweep = Sweep(database, artefacts, clock, settings)
        self._told = told

    async def work(self) -> None:
        """Raises OSError, OnpremError: something of it was not done."""
        self.project_id = (await projects.every(self.database))[0].id
        await self.sweep.run()
        await recover_jobs(
            self.database, self.artefacts, self.finisher, self.clock, allowed_attempts=3
        )
        await self.upload("a.wav")
        small, large, waiting = [await self.submit() for _ in range(3)]
        await self.end(small, TRANSCRIPT)
        await self.end(large, TRANSCRIPT * 4000)
        await self.tell()
        purge = purge_of(self)  # type: ignore[arg-type]
        for job_id in (small, waiting):
            plan = await purge.plan(Selection(What.JOB, job_id))
            (await purge.carry_out(plan, OPERATOR, wait=0.0)).check()
            assert await erasure.artefacts(self.database, Reach(job_id=job_id)) == []
        self.clock.advance(73 * HOUR)
        await self.sweep.run()

    async def upload(self, key: str) -> None:
        record, secret, plaintext = new_record_id(), new_key(), SOUND * 6000
        with self.artefacts.new_blob(record) as blob:
            blob.write(seal(secret, label(ArtefactKind.MEDIA, record), plaintext))
            blob.flush()
            async with self.database.write() as tx:
                await self.artefacts.adopt(
                    tx,
                    SealedBlob(record, secret, len(plaintext)),
                    ArtefactKind.MEDIA,
                    project_id=self.project_id,
                    now=self.clock.now(),
                    due_at=self.clock.now() + 48 * HOUR,
                )
                await media.put(tx, self.project_id, key, record)
            blob.keep()

    async def submit(self) -> str:
        """A job with a webhook."""
        job_id, now = new_job_id(), self.clock.now()
        kept = {ArtefactKind.REQUEST: REQUEST, ArtefactKind.DESTINATION: WEBHOOK}
        async with self.database.write() as tx:
            request, destination = [
                await self.artefacts.keep(
                    *(tx, kind, plaintext),
                    project_id=self.project_id,
                    job_id=job_id,
                    now=now,
                    due_at=now + 72 * HOUR,
                )
                for kind, plaintext in kept.items()
            ]
            await jobs.insert(
                tx,
                job_id=job_id,
                project_id=self.project_id,
                kind="diarize",
                region="default",
                media_id=None,
                request_id=request,
                output_life=output_life(24 * 3600),
                now=now,
                destination_id=destination,
            )
            await deliveries.plan(tx, new_delivery_id(), job_id=job_id, kind=DeliveryKind.WEBHOOK)
        return job_id

    async def end(self, job_id: str, output: bytes) -> None:
        """Claim it, end it, and correct its output."""
        job = await self._claim(job_id)
        copies = await self.artefacts.worker_copies(job_id)
        outcome = Outcome(JobStatus.SUCCEEDED, output, engine={})
        await self.finisher.end(job, outcome, copies, DeletionReason.JOB_ENDED)
        now = self.clock.now()
        async with self.database.write() as tx:
            record = await self.artefacts.keep(
                *(tx, ArtefactKind.EDITS, EDITS),
                project_id=self.project_id,
                job_id=job_id,
                now=now,
                due_at=now + 24 * HOUR,
            )
            await jobs.set_edits(tx, job_id, record)

    async def _claim(self, job_id: str) -> Job:
        async with self.database.write() as tx:
            now = self.clock.now()
            job = await queue.claim(tx, job_id, now=now)
            assert job is not None
            await self.artefacts.note_worker_copy(
                tx, project_id=self.project_id, job_id=job_id, now=now
            )
        return job

    async def tell(self) -> None:
        """What lies on the disk now."""
        rows = await self.database.fetchall("SELECT id FROM artefact WHERE slot IS NOT NULL")
        for (record,) in rows:
            if (at_rest := await self.artefacts.at_rest(record)) is not None:
                self._told(at_rest)


async def purge(folder: Path, told: Told) -> None:
    settings, clock = settings_in(folder), FakeClock()
    async with running_store(settings, clock) as (database, artefacts, _):
        await Purger(settings, database, artefacts, clock, told).work()


def _child(folder: Path, channel: socket.socket) -> int:
    log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, sys.stderr.fileno())

    def told(at_rest: AtRest) -> None:
        sample = at_rest.ciphertext[:64], at_rest.ciphertext[-64:]
        channel.send(msgspec.json.encode([at_rest.key, at_rest.wrapped, *sample]))

    send_listener(channel, ask_before_calls())
    try:
        asyncio.run(purge(folder, told))
    except (OnpremError, OSError) as error:
        sys.stderr.write(f"not done: {described(error)}\n")
        return 1
    except BaseException:  # noqa: BLE001
        traceback.print_exc()
        return 2
    return 0


def main() -> None:
    channel = socket.socket(fileno=int(sys.argv[1]))
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os._exit(_child(Path(line.strip()), channel))
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
