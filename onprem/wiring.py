"""The composition root: from settings to a running server. The only module that knows all parts."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from onprem.clock import Clock
from onprem.config.settings import Settings
from onprem.core.regions import served_by
from onprem.engine.library import ModelLibrary
from onprem.errors import ConfigInvalid, OnpremError, described
from onprem.faults import Fault
from onprem.media.addresses import AllowRule
from onprem.media.fetch import FetchPolicy
from onprem.media.worker_copy import WorkerMemory
from onprem.runner.accelerator import Accelerator
from onprem.runner.finish import Finisher
from onprem.runner.job_run import JobRunner
from onprem.runner.loop import RunnerLoop
from onprem.runner.ports import Engine
from onprem.runner.progress import ProgressBoard
from onprem.runner.recovery import recover_jobs
from onprem.runner.source import Source
from onprem.runner.wake import Wake
from onprem.services.health import Health
from onprem.services.jobs import Jobs
from onprem.services.keys import Keys
from onprem.services.model_choice import ModelChoice
from onprem.services.submit import Submission
from onprem.services.sweep import Sweep
from onprem.services.upload_links import LinkSigner
from onprem.services.uploads import Uploads
from onprem.services.use_cases import UseCases
from onprem.store import free_slots, key_check
from onprem.store.artefacts import ArtefactStore
from onprem.store.blobs import BlobFolder
from onprem.store.data_directory import DataDirectory
from onprem.store.database import Database
from onprem.store.master_key import MasterKey
from onprem.store.migrate import migrate
from onprem.store.recovery import reconcile
from onprem.store.slots import SlotFile

logger = logging.getLogger(__name__)


class Server:
    """Everything that runs in the one process, put together and recovered."""

    def __init__(self, use: UseCases, runner: RunnerLoop, sweep: Sweep) -> None:
        self.use = use
        self.runner = runner
        self.sweep = sweep


def master_key_file(settings: Settings, environment: Mapping[str, str]) -> Path:
    """storage.master_key_file, then systemd's credential, then beside the configuration."""
    if settings.storage.master_key_file is not None:
        return settings.storage.master_key_file
    if credentials := environment.get("CREDENTIALS_DIRECTORY"):
        path = Path(credentials) / "onprem-master-key"
        if path.exists():
            return path
    folder = settings.source.parent if settings.source else Path("/etc/onprem")
    return folder / "secrets" / "master.key"


def fetch_policy(settings: Settings) -> FetchPolicy:
    """Raises ConfigInvalid with each rule of fetch.allow that cannot be read."""
    rules, faults = [], []
    for text in settings.fetch.allow:
        try:
            rules.append(AllowRule.parse(text))
        except ValueError as error:
            faults.append(Fault("fetch.allow", str(error)))
    if faults:
        raise ConfigInvalid(faults)
    return FetchPolicy(
        allow=tuple(rules),
        ca_file=settings.fetch.ca_file,
        max_bytes=settings.limits.media_size,
        total_seconds=settings.fetch.timeout,
    )


@asynccontextmanager
async def running_store(
    settings: Settings, clock: Clock
) -> AsyncIterator[tuple[Database, ArtefactStore, MasterKey]]:
    """The data directory, locked against a second server, migrated and reconciled.

    Raises:
        InstallationError: it is missing, damaged, busy, somebody else's, or its key is unusable.
    """
    directory = DataDirectory(settings.storage.data_dir, settings.keys_dir)
    directory.check()
    key_file = master_key_file(settings, os.environ)
    master = MasterKey.read(key_file)
    async with AsyncExitStack() as opened:
        lock = directory.lock()
        opened.callback(lock.release)
        database = Database(directory.database)
        await database.open()
        opened.push_async_callback(database.close)
        await migrate(database)
        await key_check.check(database, master, key_file)
        known = await free_slots.known(database)
        slots = SlotFile(directory.slots, master.derive("record keys"), known)
        opened.callback(slots.close)
        blobs = BlobFolder(directory.blobs)
        artefacts = ArtefactStore(database, slots, blobs, settings.node.region)
        mended = await reconcile(database, artefacts, slots, blobs, now=clock.now())
        if mended:
            logger.warning("mended %d left-overs of an unclean stop", mended)
        # From here on others may look, and none can take it for themselves.
        lock.share()
        yield database, artefacts, master
        await database.truncate_log()


@asynccontextmanager
async def assembled(settings: Settings, engine: Engine, clock: Clock) -> AsyncIterator[Server]:
    """A server that has recovered and swept, and takes no requests yet."""
    fetching = fetch_policy(settings)
    async with running_store(settings, clock) as (database, artefacts, master):
        progress, wake = ProgressBoard(), Wake()
        accelerator = Accelerator()
        finisher = Finisher(database, artefacts, clock, settings.retention.output)
        memory = WorkerMemory(settings.limits.worker_memory)
        source = Source(artefacts, memory, fetching, settings.limits, clock)
        job_runner = JobRunner(
            database, artefacts, source, engine, accelerator, finisher, progress, clock
        )
        runner = RunnerLoop(
            database,
            artefacts,
            job_runner,
            engine,
            accelerator,
            wake,
            clock,
            regions=served_by(settings.node.region, settings.node.eu_regions),
            jobs_in_work=settings.runner.jobs_in_work,
        )
        choice = ModelChoice(settings.models, ModelLibrary(settings.models_dir))
        signer = LinkSigner(master.derive("signed links"))
        use = UseCases(
            keys=Keys(database, clock),
            uploads=Uploads(database, artefacts, signer, clock, settings),
            submission=Submission(database, artefacts, choice, wake, clock, settings),
            jobs=Jobs(database, artefacts, progress, clock),
            health=Health(runner),
        )
        sweep = Sweep(database, artefacts, finisher, clock, settings)
        # First, for it needs the least room: on a full disk each start still deletes what is due.
        try:
            await sweep.run()
        except (OnpremError, OSError) as error:
            # What it could delete is deleted; the schedule tries the rest again.
            logger.error("the first sweep did not finish: %s", described(error))
        await recover_jobs(database, artefacts, finisher, allowed_attempts=settings.runner.attempts)
        try:
            yield Server(use, runner, sweep)
        finally:
            await asyncio.to_thread(accelerator.close)
