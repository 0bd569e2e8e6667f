"""Webhook secrets: one for each project, made when first needed, rotated with overlap."""

import secrets
from typing import NamedTuple

from onprem.clock import Clock
from onprem.config.quantities import Duration
from onprem.core.act import Act, ActKind
from onprem.core.webhook_signature import SECRET_BYTES, secret_text
from onprem.errors import InvalidRequest
from onprem.faults import Fault
from onprem.services.projects import find
from onprem.store import ledger
from onprem.store.database import Database, Transaction
from onprem.store.projects import Project
from onprem.store.secrets import Secret, SecretStore, forget_retired

OVERLAP_SECONDS = 24 * 3600.0
"""How long a rotated secret goes on signing where nobody says otherwise."""


LONGEST_OVERLAP = Duration.parse("30d")


class ProjectSecrets(NamedTuple):
    """The secrets that live, the newest first."""

    project: Project
    secrets: list[Secret]


class WebhookSecrets:
    def __init__(self, database: Database, store: SecretStore, clock: Clock) -> None:
        self._database = database
        self._store = store
        self._clock = clock

    async def reveal(self, named: str, *, actor: str) -> ProjectSecrets:
        """The secrets that sign for the project of that id or name.

        Raises:
            NotFound: there is no such project.
            StorageFull, StoreBusy: that they are shown could not be noted, so they are not.
        """
        project = await find(self._database, named)
        found = await self.live(project.id)
        async with self._database.write() as tx:
            await self._note(tx, ActKind.WEBHOOK_SECRET_SHOWN, actor, project, {})
        return ProjectSecrets(project, found)

    async def rotate(
        self, named: str, overlap: float = OVERLAP_SECONDS, *, actor: str
    ) -> ProjectSecrets:
        """A new secret; the others go on signing for `overlap` seconds.

        Raises:
            NotFound: there is no such project.
            InvalidRequest: the overlap is too long.
        """
        if overlap > LONGEST_OVERLAP:
            raise InvalidRequest([Fault("overlap", f"Must be at most {LONGEST_OVERLAP}")])
        project = await find(self._database, named)
        await self.live(project.id)  # so that there is one to rotate
        now = self._clock.now()
        async with self._database.write() as tx:
            await forget_retired(tx, now=now)
            await self._store.retire(tx, "webhook", project.id, at=now + overlap)
            await self._add(tx, project.id)
            details = {"overlap": float(overlap)}
            await self._note(tx, ActKind.WEBHOOK_SECRET_ROTATED, actor, project, details)
        return ProjectSecrets(project, await self.live(project.id))

    async def live(self, project_id: str) -> list[Secret]:
        """The newest first; there is always one."""
        found = await self._store.live("webhook", project_id, now=self._clock.now())
        if found:
            return found
        async with self._database.write() as tx:
            # Nobody else can write now: looked at again, it is made once.
            found = await self._store.live("webhook", project_id, now=self._clock.now())
            return found or [await self._add(tx, project_id)]

    async def _note(
        self,
        tx: Transaction,
        kind: ActKind,
        actor: str,
        project: Project,
        details: dict[str, float],
    ) -> None:
        act = Act(kind, actor, project.id, details=details)
        await ledger.append_act(tx, self._clock.stamp(), act)

    async def _add(self, tx: Transaction, project_id: str) -> Secret:
        value = secret_text(secrets.token_bytes(SECRET_BYTES)).encode()
        return await self._store.add(tx, "webhook", project_id, value, now=self._clock.now())
