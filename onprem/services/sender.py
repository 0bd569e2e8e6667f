"""Makes deliveries: one try at each that is due, many at once, until all are delivered or failed.

A try that a crash or a stop breaks off was never written down, so it is made again under the same
id: a receiver may get a delivery twice, and tells by that id.
"""

import asyncio
import logging
from contextlib import AsyncExitStack
from weakref import WeakValueDictionary

import httpx
import msgspec

from onprem.clock import Clock
from onprem.core.access import Means
from onprem.core.act import SERVER
from onprem.core.delivery import (
    Attempt,
    DeliveryKind,
    DeliveryState,
    FailureReason,
    next_attempt_at,
)
from onprem.core.destination import Destination
from onprem.core.job import JobStatus
from onprem.core.receipt import ArtefactKind, DeletionReason
from onprem.core.retention import DELIVERED_SECONDS
from onprem.errors import OnpremError, StorageFull, StoreBusy, described
from onprem.media.send import SendFailed, SendPolicy, send
from onprem.runner.wake import Wake
from onprem.services.access import AccessLog, Reader
from onprem.services.parcel import Parcel, packed
from onprem.services.webhook_secrets import WebhookSecrets
from onprem.store import deliveries
from onprem.store.artefacts import ArtefactStore
from onprem.store.database import Database
from onprem.store.deliveries import Delivery, DueDelivery
from onprem.threads import in_thread

logger = logging.getLogger(__name__)

AT_ONCE = 64
"""Tries in work; each holds its body in memory."""
AT_ONCE_TO_A_RECEIVER = 4
"""So that one that is slow takes nobody else's place."""
STOP_SECONDS = 3.0
"""How long a stop waits for tries in work."""
RETRY_SECONDS = 2.0
"""Pause before what could not be read or written is tried again."""


class Sender:
    """Runs from `run` until `stop`. `bell` is rung when a job has ended."""

    def __init__(
        self,
        database: Database,
        artefacts: ArtefactStore,
        access: AccessLog,
        secrets: WebhookSecrets,
        clock: Clock,
        policy: SendPolicy,
        bell: Wake,
    ) -> None:
        self._database = database
        self._artefacts = artefacts
        self._access = access
        self._secrets = secrets
        self._clock = clock
        self._policy = policy
        self._bell = bell
        self._places = asyncio.Semaphore(AT_ONCE)
        self._receivers: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._tries: dict[str, asyncio.Task[bool]] = {}
        self._stopping = False

    def stop(self) -> None:
        self._stopping = True
        self._bell.set()

    async def run(self) -> None:
        """Returns after `stop`; tries that are in work then have a moment to end."""
        while not self._stopping:
            # Those that end during the look-up would be found as they were before.
            in_work = set(self._tries)
            try:
                for due in await deliveries.due(self._database, self._clock.now()):
                    if due.delivery.id not in in_work:
                        self._begin(due)
            except OnpremError as error:
                logger.warning("no delivery can be looked up now: %s", error.code)
            await self._bell.wait()
        if self._tries:
            await asyncio.wait(self._tries.values(), timeout=STOP_SECONDS)
        for task in self._tries.values():
            task.cancel()
        await asyncio.gather(*self._tries.values(), return_exceptions=True)

    def _begin(self, due: DueDelivery) -> None:
        delivery_id = due.delivery.id

        def over(task: asyncio.Task[bool]) -> None:
            del self._tries[delivery_id]
            if task.cancelled():
                return
            if error := task.exception():
                logger.error("delivery %s broke: %s", delivery_id, described(error))
            elif task.result():
                self._bell.set()

        task = asyncio.create_task(self._try(due), name=delivery_id)
        self._tries[delivery_id] = task
        task.add_done_callback(over)

    async def _try(self, due: DueDelivery) -> bool:
        """Returns whether the next try is due at once."""
        delivery = due.delivery
        async with AsyncExitStack() as held:
            try:
                destination = await self._destination(due)
                url = destination.url(delivery.kind) if destination else None
                if destination is None or url is None:
                    # Deleted at its deadline, or by the job's owner.
                    after = self._ended(delivery, DeliveryState.FAILED)
                else:
                    await held.enter_async_context(self._receiver(url))
                    await held.enter_async_context(self._places)
                    # Again: its owner may have deleted the job while this try waited.
                    if await self._destination(due) is None:
                        return False
                    after = await self._attempt(due, destination)
            except (StoreBusy, StorageFull) as error:
                logger.warning("delivery %s waits: %s", delivery.id, error.code)
                await asyncio.sleep(RETRY_SECONDS)
                return False
            except Exception as error:  # noqa: BLE001 - none may be tried for ever, or stop others
                logger.error("delivery %s cannot be made: %s", delivery.id, described(error))
                after = self._failed(delivery, FailureReason.UNKNOWN_ERROR)
        await self._record(due, after)
        return after.next_at is not None and after.next_at <= self._clock.now()

    async def _destination(self, due: DueDelivery) -> Destination | None:
        if due.destination_id is None:
            return None
        raw = await self._artefacts.read(due.destination_id, now=self._clock.now())
        return None if raw is None else msgspec.json.decode(raw, type=Destination)

    def _receiver(self, url: str) -> asyncio.Semaphore:
        where = httpx.URL(url).netloc.decode()
        return self._receivers.setdefault(where, asyncio.Semaphore(AT_ONCE_TO_A_RECEIVER))

    async def _attempt(self, due: DueDelivery, destination: Destination) -> Delivery:
        """The delivery as it stands after one try."""
        delivery = due.delivery
        parcel = await self._parcel(due, destination)
        if parcel is None:
            return self._ended(delivery, DeliveryState.SKIPPED)
        try:
            status = await send(
                parcel.method, parcel.url, parcel.headers, parcel.body, policy=self._policy
            )
        except SendFailed as failure:
            logger.info("delivery %s of job %s: %s", delivery.id, due.job_id, failure)
            return self._failed(delivery, failure.reason, failure.status)
        logger.info("delivery %s of job %s arrived", delivery.id, due.job_id)
        attempts = [*delivery.attempts, Attempt(self._clock.now(), None, status)]
        arrived = msgspec.structs.replace(
            delivery,
            attempts=attempts,
            bytes=None if parcel.digest is None else len(parcel.body),
            sha256=parcel.digest,
        )
        return self._ended(arrived, DeliveryState.DELIVERED)

    async def _parcel(self, due: DueDelivery, destination: Destination) -> Parcel | None:
        """What to send now. One with the output is in the access log."""
        while True:
            parcel = await self._packed(due, destination)
            if parcel is None or parcel.digest is None or await self._admitted(due):
                return parcel

    async def _admitted(self, due: DueDelivery) -> bool:
        assert due.output_id is not None, "it is in the parcel"
        webhook = due.delivery.kind is DeliveryKind.WEBHOOK
        means = Means.WEBHOOK if webhook else Means.DELIVER
        reader = Reader(SERVER, means, due.project_id, due.job_id)
        return await self._access.admit(reader, {due.output_id: ArtefactKind.OUTPUT})

    async def _packed(self, due: DueDelivery, destination: Destination) -> Parcel | None:
        output = None
        # Read at the last moment: what was deleted since the job's end is sent to nobody.
        if due.status is JobStatus.SUCCEEDED and due.output_id is not None:
            output = await self._artefacts.read(due.output_id, now=self._clock.now())
        secrets = await self._secrets.live(due.project_id)
        texts = [secret.value.decode() for secret in secrets]
        timestamp = int(self._clock.wall())  # the receiver compares it with its own clock
        return await in_thread(
            lambda: packed(due, destination, output, secrets=texts, timestamp=timestamp)
        )

    def _failed(
        self, delivery: Delivery, reason: FailureReason, status: int | None = None
    ) -> Delivery:
        now = self._clock.now()
        attempts = [*delivery.attempts, Attempt(now, reason, status)]
        after = msgspec.structs.replace(
            delivery, attempts=attempts, next_at=next_attempt_at(len(attempts), now)
        )
        return self._ended(after, DeliveryState.FAILED) if after.next_at is None else after

    def _ended(self, delivery: Delivery, state: DeliveryState) -> Delivery:
        return msgspec.structs.replace(
            delivery, state=state, next_at=None, ended_at=self._clock.now()
        )

    async def _record(self, due: DueDelivery, after: Delivery) -> None:
        """Again and again while the disk is full or the database busy: a try counts."""
        while True:
            try:
                async with self._database.write() as tx:
                    await deliveries.record(tx, after)
                    due_at = self._clock.now() + DELIVERED_SECONDS
                    await deliveries.release_output(tx, due.job_id, due_at=due_at)
                break
            except OnpremError as error:
                logger.warning("delivery %s cannot be noted yet: %s", after.id, error.code)
                await asyncio.sleep(RETRY_SECONDS)
        if after.state is not DeliveryState.WAITING:
            await self._forget_destination(due.job_id)

    async def _forget_destination(self, job_id: str) -> None:
        """Once nothing is left to deliver; else, and after a failure, a sweep sees to it."""
        try:
            idle = await deliveries.idle_destinations(self._database, job_id)
            await self._artefacts.delete(
                idle, DeletionReason.DELIVERIES_ENDED, now=self._clock.now()
            )
        except (OnpremError, OSError) as error:
            logger.warning(
                "the destination of job %s waits for a sweep: %s", job_id, described(error)
            )
