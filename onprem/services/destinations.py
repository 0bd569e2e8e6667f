"""Where a submission wants its results: judged, and kept encrypted beside the job."""

from typing import Any

import msgspec

from onprem.config.settings import Settings
from onprem.core.destination import Destination
from onprem.core.receipt import ArtefactKind
from onprem.core.requests import Deliver
from onprem.core.retention import OUTPUT_CEILING
from onprem.faults import Fault
from onprem.ids import new_delivery_id
from onprem.media.addresses import AllowRule
from onprem.media.send import destination_fault
from onprem.store import deliveries
from onprem.store.artefacts import ArtefactStore
from onprem.store.database import Transaction


class Destinations:
    def __init__(self, artefacts: ArtefactStore, settings: Settings) -> None:
        self._artefacts = artefacts
        self._settings = settings
        self._allowed = tuple(AllowRule.parse(text) for text in settings.webhooks.allow)

    def faults(self, sound: dict[str, Any]) -> list[Fault]:
        """Faults of the URLs among the sound fields of a request."""
        urls: list[tuple[str, str]] = []
        if (webhook := sound.get("webhook")) is not None:
            urls.append(("webhook", webhook))
        if isinstance(deliver := sound.get("deliver"), Deliver):
            urls.append(("deliver.url", deliver.url))
        found = [(field, destination_fault(url, self._allowed)) for field, url in urls]
        return [Fault(field, problem) for field, problem in found if problem is not None]

    async def keep(
        self,
        tx: Transaction,
        destination: Destination,
        *,
        project_id: str,
        job_id: str,
        now: float,
    ) -> bytes:
        """The record of the destination, for a job that is inserted in the same transaction.

        It goes when its deliveries have ended. They begin at the job's end, which brings its
        deadline forward; this one is the net below a job that never ends.
        """
        retention = self._settings.retention
        return await self._artefacts.keep(
            tx,
            ArtefactKind.DESTINATION,
            msgspec.json.encode(destination),
            project_id=project_id,
            job_id=job_id,
            now=now,
            due_at=now + self._settings.limits.queue_ttl + retention.media + OUTPUT_CEILING,
        )


async def plan_deliveries(tx: Transaction, job_id: str, destination: Destination) -> None:
    """After the job's row was inserted: a delivery for each place."""
    for kind in destination.kinds():
        await deliveries.plan(tx, new_delivery_id(), job_id=job_id, kind=kind)
