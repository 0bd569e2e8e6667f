"""A whole server, recovered and swept."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from msgspec.structs import replace

from onprem.clock import RetentionClock
from onprem.config.settings import Settings
from onprem.errors import DataDirectoryFull, OnpremError, StorageFull, StoreBusy, described
from onprem.media.worker_copy import WorkerMemory
from onprem.runner.accelerator import Accelerator
from onprem.runner.attended import Attended
from onprem.runner.finish import Finisher
from onprem.runner.loop import RunnerLoop
from onprem.runner.ports import Engine
from onprem.runner.progress import ProgressBoard
from onprem.runner.recovery import recover_jobs
from onprem.runner.speed import Speed
from onprem.runner.wake import Wake
from onprem.scheduler import Task
from onprem.services.access import AccessLog
from onprem.services.canary import CHECK_SECONDS as CANARY_SECONDS, Canary
from onprem.services.checkpoints import CHECK_SECONDS, Checkpoints
from onprem.services.counters import Counters, Purpose
from onprem.services.queue_expiry import QueueExpiry
from onprem.services.sender import Sender
from onprem.services.signing import installation_signer
from onprem.services.start_note import StartNote
from onprem.services.sweep import SWEEP_SECONDS, Sweep
from onprem.services.use_cases import UseCases
from onprem.services.voiceprints import installation_key
from onprem.store.byte_scan import places
from onprem.store.canaries import Canaries
from onprem.store.data_directory import DataDirectory
from onprem.store.secrets import SecretStore
from onprem.wiring.configured import metrics_token, network_policies, trusted_voiceprint_keys
from onprem.wiring.parts import Parts
from onprem.wiring.runner import runner_loop
from onprem.wiring.store import running_store
from onprem.wiring.use_cases import use_cases, watch

logger = logging.getLogger(__name__)


class Server:
    """Everything that runs in the one process, put together and recovered."""

    def __init__(
        self,
        use: UseCases,
        runner: RunnerLoop,
        sender: Sender,
        sweep: Sweep,
        queue_expiry: QueueExpiry,
        start_note: StartNote,
        checkpoints: Checkpoints,
        canary: Canary,
    ) -> None:
        self.use = use
        self.runner = runner
        self.sender = sender
        self.sweep = sweep
        self.queue_expiry = queue_expiry
        self.start_note = start_note
        self.checkpoints = checkpoints
        self.canary = canary

    @property
    def tasks(self) -> list[Task]:
        """What is to be done by the clock."""
        return [
            Task("sweep", SWEEP_SECONDS, self.sweep.run),
            Task("expiry of waiting jobs", SWEEP_SECONDS, self.queue_expiry.run),
            Task("note of the start", SWEEP_SECONDS, self.start_note.run),
            Task("checkpoint of the ledger", CHECK_SECONDS, self.checkpoints.run),
            Task("canary", CANARY_SECONDS, self.canary.run),
        ]


@asynccontextmanager
async def assembled(
    settings: Settings, engine: Engine, clock: RetentionClock
) -> AsyncIterator[Server]:
    """A server that has recovered and swept, and takes no requests yet."""
    fetching, sending = network_policies(settings)
    trusted = trusted_voiceprint_keys(settings)
    token = metrics_token(settings)
    counters = Counters()
    fetching = replace(fetching, on_denied=partial(counters.denied, Purpose.FETCH))
    sending = replace(sending, on_denied=partial(counters.denied, Purpose.DELIVERY))
    async with running_store(settings, clock) as (database, artefacts, master):
        secrets = SecretStore(database, master.derive("secrets"))
        finisher = Finisher(database, artefacts, clock)
        parts = Parts(
            settings=settings,
            clock=clock,
            database=database,
            artefacts=artefacts,
            master=master,
            access=AccessLog(database, artefacts, clock),
            secrets=secrets,
            voiceprint_key=await installation_key(database, secrets, clock),
            signer=await installation_signer(database, secrets, clock),
            finisher=finisher,
            memory=WorkerMemory(settings.limits.worker_memory),
            progress=ProgressBoard(),
            speed=Speed(),
            attended=Attended(),
            wake=Wake(),
            sweep=Sweep(database, artefacts, clock, settings),
        )
        accelerator = Accelerator()
        runner = runner_loop(parts, engine, accelerator, fetching)
        sweep = parts.sweep
        use = use_cases(parts, runner, trusted, watch(parts, runner, sweep, counters, token))
        sender = Sender(
            database,
            artefacts,
            parts.access,
            use.webhook_secrets,
            clock,
            sending,
            finisher.ended,
        )
        start_note = StartNote(database, clock, settings)
        expiry = QueueExpiry(database, finisher, clock, settings.limits.queue_ttl)
        # First, for it needs the least room: on a full disk each start still deletes what is due.
        try:
            await sweep.run()
        except (OnpremError, OSError) as error:
            # What it could delete is deleted; the schedule tries the rest again.
            logger.error("the first sweep did not finish: %s", described(error))
        if database.alone:
            raise DataDirectoryFull(path=settings.storage.data_dir)
        try:
            await start_note.run()
        except (StorageFull, StoreBusy) as error:
            logger.error("the start is not in the ledger yet: %s", error.code)
        await recover_jobs(
            database, artefacts, finisher, clock, allowed_attempts=settings.runner.attempts
        )
        checkpoints = Checkpoints(database, parts.signer, clock, settings.retention, sending)
        await checkpoints.started()
        directory = DataDirectory(settings.storage.data_dir, settings.keys_dir)
        canary = Canary(
            Canaries(database, artefacts, clock),
            places(directory.root, directory.slots.parent),
            clock,
            period=settings.retention.canary,
        )
        try:
            yield Server(use, runner, sender, sweep, expiry, start_note, checkpoints, canary)
        finally:
            await use.speech_to_text.close()
            await asyncio.to_thread(accelerator.close)
            await checkpoints.stopped()
