"""The composition root: from settings to a running server. The only module that knows all parts."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from onprem.clock import Clock
from onprem.config.settings import Settings
from onprem.core.regions import served_by
from onprem.engine.library import ModelLibrary
from onprem.errors import ConfigInvalid, OnpremError, described
from onprem.faults import Fault
from onprem.media.addresses import AllowRule
from onprem.media.fetch import FetchPolicy
from onprem.media.send import SendPolicy
from onprem.media.worker_copy import WorkerMemory
from onprem.runner.accelerator import Accelerator
from onprem.runner.attended import Attended
from onprem.runner.finish import Finisher
from onprem.runner.job_run import JobRunner
from onprem.runner.lanes import Lanes
from onprem.runner.loop import RunnerLoop
from onprem.runner.ports import Engine
from onprem.runner.progress import ProgressBoard
from onprem.runner.recovery import recover_jobs
from onprem.runner.source import Source
from onprem.runner.speed import Speed
from onprem.runner.wake import Wake
from onprem.services.cancellation import Cancellation
from onprem.services.deliveries import Deliveries
from onprem.services.downloads import Downloads
from onprem.services.health import Health
from onprem.services.idempotency import Idempotency
from onprem.services.installed import InstalledModels
from onprem.services.job_events import JobEvents
from onprem.services.jobs import Jobs
from onprem.services.keys import Keys
from onprem.services.media_library import MediaLibrary
from onprem.services.media_links import LinkSigner
from onprem.services.model_choice import ModelChoice
from onprem.services.outputs import Outputs
from onprem.services.projects import Projects
from onprem.services.rate_limits import RateLimits
from onprem.services.sender import Sender
from onprem.services.speech_to_text import SpeechToText
from onprem.services.submit import Submission
from onprem.services.sweep import Sweep
from onprem.services.uploads import Uploads
from onprem.services.usage import Usage
from onprem.services.use_cases import UseCases
from onprem.services.voiceprints import Voiceprints, installation_key
from onprem.services.webhook_secrets import WebhookSecrets
from onprem.store import free_slots, key_check
from onprem.store.artefacts import ArtefactStore
from onprem.store.blobs import BlobFolder
from onprem.store.data_directory import DataDirectory
from onprem.store.database import Database
from onprem.store.key_file import read_key
from onprem.store.master_key import MasterKey
from onprem.store.migrate import migrate
from onprem.store.recovery import reconcile
from onprem.store.secrets import SecretStore
from onprem.store.slots import SlotFile

logger = logging.getLogger(__name__)


class Server:
    """Everything that runs in the one process, put together and recovered."""

    def __init__(self, use: UseCases, runner: RunnerLoop, sender: Sender, sweep: Sweep) -> None:
        self.use = use
        self.runner = runner
        self.sender = sender
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


def network_policies(settings: Settings) -> tuple[FetchPolicy, SendPolicy]:
    """What may be fetched from and sent to.

    Raises ConfigInvalid with each rule of fetch.allow and webhooks.allow that cannot be read.
    """
    faults: list[Fault] = []
    fetching = FetchPolicy(
        allow=_rules("fetch.allow", settings.fetch.allow, faults),
        ca_file=settings.fetch.ca_file,
        max_bytes=settings.limits.media_size,
        total_seconds=settings.fetch.timeout,
    )
    sending = SendPolicy(
        allow=_rules("webhooks.allow", settings.webhooks.allow, faults),
        ca_file=settings.webhooks.ca_file,
    )
    if faults:
        raise ConfigInvalid(faults)
    return fetching, sending


def trusted_voiceprint_keys(settings: Settings) -> list[bytes]:
    """Raises ConfigInvalid with each file of auth.trusted_voiceprint_keys that is no key."""
    keys, faults = [], []
    for path in settings.auth.trusted_voiceprint_keys:
        try:
            keys.append(read_key(path))
        except ValueError as error:
            faults.append(Fault("auth.trusted_voiceprint_keys", f"{path}: {error}"))
    if faults:
        raise ConfigInvalid(faults)
    return keys


def _rules(option: str, texts: list[str], faults: list[Fault]) -> tuple[AllowRule, ...]:
    rules = []
    for text in texts:
        try:
            rules.append(AllowRule.parse(text))
        except ValueError as error:
            faults.append(Fault(option, str(error)))
    return tuple(rules)


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


class _Parts(NamedTuple):
    """What several others are built from."""

    settings: Settings
    clock: Clock
    database: Database
    artefacts: ArtefactStore
    master: MasterKey
    secrets: SecretStore
    voiceprint_key: bytes
    finisher: Finisher
    memory: WorkerMemory
    progress: ProgressBoard
    speed: Speed
    attended: Attended
    wake: Wake


@asynccontextmanager
async def assembled(settings: Settings, engine: Engine, clock: Clock) -> AsyncIterator[Server]:
    """A server that has recovered and swept, and takes no requests yet."""
    fetching, sending = network_policies(settings)
    trusted = trusted_voiceprint_keys(settings)
    async with running_store(settings, clock) as (database, artefacts, master):
        secrets = SecretStore(database, master.derive("secrets"))
        finisher = Finisher(database, artefacts, clock, settings.retention.output)
        parts = _Parts(
            settings=settings,
            clock=clock,
            database=database,
            artefacts=artefacts,
            master=master,
            secrets=secrets,
            voiceprint_key=await installation_key(database, secrets, clock),
            finisher=finisher,
            memory=WorkerMemory(settings.limits.worker_memory),
            progress=ProgressBoard(),
            speed=Speed(),
            attended=Attended(),
            wake=Wake(),
        )
        accelerator = Accelerator()
        runner = _runner(parts, engine, accelerator, fetching)
        use = _use_cases(parts, runner, trusted)
        sender = Sender(database, artefacts, use.webhook_secrets, clock, sending, finisher.ended)
        sweep = Sweep(database, artefacts, finisher, clock, settings)
        # First, for it needs the least room: on a full disk each start still deletes what is due.
        try:
            await sweep.run()
        except (OnpremError, OSError) as error:
            # What it could delete is deleted; the schedule tries the rest again.
            logger.error("the first sweep did not finish: %s", described(error))
        await recover_jobs(
            database, artefacts, finisher, clock, allowed_attempts=settings.runner.attempts
        )
        try:
            yield Server(use, runner, sender, sweep)
        finally:
            await use.speech_to_text.close()
            await asyncio.to_thread(accelerator.close)


def _runner(
    parts: _Parts, engine: Engine, accelerator: Accelerator, fetching: FetchPolicy
) -> RunnerLoop:
    settings, limits = parts.settings, parts.settings.limits
    lanes = Lanes(
        short_recording=settings.runner.short_recording,
        jobs_in_work=settings.runner.jobs_in_work,
    )
    job_runner = JobRunner(
        parts.database,
        parts.artefacts,
        Source(parts.artefacts, parts.memory, fetching, limits, parts.clock),
        engine,
        accelerator,
        lanes,
        parts.finisher,
        parts.progress,
        parts.speed,
        parts.attended,
        parts.clock,
        parts.voiceprint_key,
    )
    return RunnerLoop(
        parts.database,
        parts.artefacts,
        job_runner,
        engine,
        accelerator,
        parts.attended,
        lanes,
        parts.progress,
        parts.wake,
        parts.clock,
        regions=served_by(settings.node.region, settings.node.eu_regions),
    )


def _use_cases(parts: _Parts, runner: RunnerLoop, trusted: list[bytes]) -> UseCases:
    settings, clock, database, artefacts, master = parts[:5]
    library = ModelLibrary(settings.models_dir)
    choice = ModelChoice(settings.models, library)
    signer = LinkSigner(master.derive("signed links"))
    jobs = Jobs(database, artefacts, parts.progress, parts.speed, clock)
    submission = Submission(
        database,
        artefacts,
        choice,
        Voiceprints([parts.voiceprint_key, *trusted], library),
        parts.wake,
        parts.speed,
        clock,
        settings,
    )
    cancellation = Cancellation(
        database, artefacts, parts.finisher, parts.progress, parts.wake, clock
    )
    speech_to_text = SpeechToText(
        database,
        artefacts,
        submission,
        cancellation,
        parts.attended,
        parts.memory,
        parts.progress,
        parts.wake,
        clock,
        settings.limits,
    )
    return UseCases(
        settings=settings,
        projects=Projects(database, clock),
        keys=Keys(database, clock),
        rate_limits=RateLimits(database, settings.limits, clock),
        usage=Usage(database, clock),
        installed=InstalledModels(settings.models, library),
        uploads=Uploads(database, artefacts, signer, clock, settings),
        downloads=Downloads(database, artefacts, signer, clock),
        media=MediaLibrary(database, artefacts, clock),
        models=choice,
        submission=submission,
        speech_to_text=speech_to_text,
        deliveries=Deliveries(database, clock),
        webhook_secrets=WebhookSecrets(database, parts.secrets, clock),
        outputs=Outputs(database, artefacts, clock),
        idempotency=Idempotency(database, master.derive("idempotency keys"), clock),
        jobs=jobs,
        job_events=JobEvents(jobs, parts.progress),
        cancellation=cancellation,
        health=Health(runner),
    )
