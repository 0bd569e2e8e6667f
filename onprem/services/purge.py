"""Purges by an operator: plan, carry out, and say what is deleted and what is left."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager

import msgspec

from onprem.clock import Clock
from onprem.core.act import Act, ActKind
from onprem.core.purge import Item, Plan, Selection, What, totals
from onprem.core.receipt import ArtefactKind, DeletionReason, Receipt
from onprem.core.signed import SignedDocument
from onprem.errors import (
    DeletionUnverified,
    OnpremError,
    PurgeFailed,
    PurgeIncomplete,
    RunsStopping,
    described,
)
from onprem.runner.finish import CANCELED, Finisher
from onprem.services.cancellation import Cancellation
from onprem.services.erasure import Erasure
from onprem.services.purge_plan import Planner
from onprem.services.removal import Progress, remove
from onprem.services.signing import Signer
from onprem.services.sweep import Sweep
from onprem.store import erasure, jobs, ledger
from onprem.store.artefacts import ArtefactStore
from onprem.store.chain import LEDGER
from onprem.store.database import Database, Transaction
from onprem.store.erasure import Numbered, Reach
from onprem.store.jobs import Job

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.2

Failure = OnpremError | OSError


class Purged(msgspec.Struct, frozen=True):
    """What became of a plan.

    `left`: records that are still there. `failures`: codes of what kept them, or of what else was
    not done. `stopping`: canceled jobs whose runs still hold a recording in memory.
    """

    plan: Plan
    receipts: list[Numbered]
    left: list[Item]
    failures: list[str]
    stopping: list[str]
    certificate: SignedDocument | None = None

    def check(self) -> None:
        """Raises PurgeFailed, RunsStopping: the purge is not done."""
        if self.failures:
            why = ", ".join(sorted(set(self.failures)))
            raise PurgeFailed(left=len(self.left), planned=len(self.plan.items), why=why)
        if self.stopping:
            raise RunsStopping(count=len(self.stopping))


class Purge:
    """`alone` tells, for as long as it is entered, whether no server is at work: then whatever a
    run held in memory died with it. `signer` raises MasterKeyUnusable where it has no key."""

    def __init__(
        self,
        database: Database,
        artefacts: ArtefactStore,
        finisher: Finisher,
        cancellation: Cancellation,
        sweep: Sweep,
        clock: Clock,
        alone: Callable[[], AbstractContextManager[bool]],
        signer: Callable[[], Awaitable[Signer]],
    ) -> None:
        self._database = database
        self._artefacts = artefacts
        self._finisher = finisher
        self._cancellation = cancellation
        self._sweep = sweep
        self._clock = clock
        self._alone = alone
        self.signer = signer
        self._planner = Planner(database, artefacts, clock)
        self._erasure = Erasure(database, artefacts, clock)

    async def plan(self, selection: Selection) -> Plan:
        """Raises NotFound, PurgeRefused."""
        return await self._planner.plan(selection)

    async def carry_out(
        self,
        plan: Plan,
        actor: str,
        *,
        wait: float,
        certified: bool = True,
        progress: Progress | None = None,
    ) -> Purged:
        """Do what the plan says, and wait up to `wait` seconds for runs to end.

        Safe to repeat at any time: what is done already is skipped. `certified`: the erasure of a
        project ends with a certificate, once nothing is left of it.

        Raises:
            MasterKeyUnusable: nothing was done, for it could not be certified.
        """
        signer = await self.signer() if plan.project is not None and certified else None
        before = (await LEDGER.tip(self._database)).seq
        work = _Work(plan)
        if plan.selection.what is What.DUE:
            await self._sweep_up(work, progress)
        else:
            await self._delete(work, actor, progress)
        stopping = await self._runs_ended(work, wait)
        if plan.project is not None and not work.failures and not stopping:
            await self._erasure.forget_rows()
        await self._empty_log(work)
        receipts = await erasure.receipts_behind(self._database, before)
        planned = {item.artefact_id for item in work.items}
        live = await erasure.artefacts_named(self._database, [each.record for each in work.items])
        left = {each.id for each in live}
        certificate = None
        if plan.project is not None and signer is not None and not work.failures and not stopping:
            certificate = await self._certificate(work, plan.project.project_id, signer)
        return Purged(
            plan,
            [each for each in receipts if work.concerns(each.receipt, planned)],
            [item for item in work.items if item.record in left],
            [_code(failure) for failure in work.failures],
            stopping,
            certificate,
        )

    async def _certificate(
        self, work: "_Work", project_id: str, signer: Signer
    ) -> SignedDocument | None:
        try:
            return await self._erasure.certificate(project_id, signer)
        except (DeletionUnverified, PurgeIncomplete) as failure:
            logger.error("the erasure is not certified: %s", described(failure))
            work.failures.append(failure)
            return None

    async def _sweep_up(self, work: "_Work", progress: Progress | None) -> None:
        try:
            await self._sweep.carry_out(work.plan, progress)
        except (OnpremError, OSError) as failure:
            work.failures.append(failure)

    async def _delete(self, work: "_Work", actor: str, progress: Progress | None) -> None:
        """Twice if need be: on a full disk the first round makes room for the second."""
        for _ in range(2):
            work.failures = []
            if not work.begun:
                await self._begin(work, actor)
            removed = await remove(
                self._database,
                self._artefacts,
                work.items,
                now=self._clock.now(),
                progress=progress,
            )
            work.failures += removed.failures
            if not work.failures:
                return

    async def _begin(self, work: "_Work", actor: str) -> None:
        """End the jobs and note the act, all at once; from then on nothing new can be made."""
        plan = work.plan
        try:
            async with self._database.write() as tx:
                ended = await self._end_jobs(tx, plan)
                if plan.project is not None:
                    await self._erasure.begin(tx, plan, actor)
                else:
                    act = _act(plan, actor)
                    of_job = act.subject if plan.selection.what is What.JOB else None
                    await ledger.append_act(tx, self._clock.stamp(), act, job_id=of_job)
        except (OnpremError, OSError) as failure:
            logger.error("a purge cannot begin as it should: %s", _code(failure))
            work.failures.append(failure)
            return
        work.begun = True
        for job in ended:
            self._cancellation.tell(job)
        work.ended |= {job.id for job in ended}
        await self._look_again(work)

    async def _end_jobs(self, tx: Transaction, plan: Plan) -> list[Job]:
        """Those that the plan names; of a project, those that it has now."""
        now, reaches = self._clock.now(), [Reach(job_id=each) for each in plan.canceled_jobs]
        hidden = plan.hidden_jobs
        if plan.project is not None:
            reaches = [Reach(project_id=plan.project.project_id)]
            hidden = await erasure.shown_jobs(tx, reaches[0])
        ended = [job for reach in reaches for job in await erasure.unfinished(tx, reach)]
        for job in ended:
            await self._finisher.conclude(tx, job, CANCELED, now=now)
        for job_id in hidden:
            await jobs.mark_deleted(tx, job_id, now=now)
        return ended

    async def _look_again(self, work: "_Work") -> None:
        """What a job or project got since the plan was made goes with the rest."""
        selection = work.plan.selection
        if work.plan.project is not None:
            selection = Selection(What.PROJECT, work.plan.project.project_id)
        elif selection.what is not What.JOB:
            return
        known = {item.artefact_id for item in work.items}
        fresh = (await self._planner.plan(selection)).items
        work.items += [item for item in fresh if item.artefact_id not in known]

    async def _runs_ended(self, work: "_Work", wait: float) -> list[str]:
        """Jobs whose copies are still in memory after `wait` seconds."""

        async def copies() -> dict[bytes, str]:
            found = await erasure.worker_copies(self._database)
            return {record: job_id for record, job_id in found if job_id in work.ended}

        if left := await copies():
            await self._free_lost(work, list(left))
            left = await copies()
        for _ in range(int(wait / POLL_SECONDS)):
            if not left:
                break
            await asyncio.sleep(POLL_SECONDS)
            left = await copies()
        return sorted(set(left.values()))

    async def _free_lost(self, work: "_Work", copies: list[bytes]) -> None:
        """Where no server is at work, memory that a run held was free when that server died."""
        with self._alone() as nobody_serves:
            if not nobody_serves:
                return
            try:
                now = self._clock.now()
                await self._artefacts.delete(copies, DeletionReason.CRASH, now=now)
            except (OnpremError, OSError) as failure:
                work.failures.append(failure)

    async def _empty_log(self, work: "_Work") -> None:
        """Only now is what was deleted gone for good."""
        work.failures = [each for each in work.failures if not isinstance(each, PurgeIncomplete)]
        try:
            await self._artefacts.empty_log()
        except PurgeIncomplete as failure:
            work.failures.append(failure)


class _Work:
    """How far a purge has come."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.items = list(plan.items)
        self.failures: list[Failure] = []
        self.begun = False
        self.ended = {item.job_id for item in plan.ending_with_run}
        """Jobs that were canceled: now, or earlier and their runs have not ended yet."""

    def concerns(self, receipt: Receipt, planned: set[str]) -> bool:
        """Whether it is of what was planned, or of a recording in memory of a canceled job."""
        if receipt.kind is ArtefactKind.WORKER_COPY:
            return receipt.job_id in self.ended
        return receipt.artefact_id in planned


def _act(plan: Plan, actor: str) -> Act:
    """Which job, whose media, and how much; a media's name is the owner's."""
    selection, project_id, subject = plan.selection, None, None
    if selection.what is What.JOB:
        subject = selection.name
    if selection.what is What.MEDIA:
        subject = plan.items[0].artefact_id
    if selection.what is not What.ALL and plan.items:
        project_id = plan.items[0].project_id
    details = {"selection": selection.what, "artefacts": totals(plan.items)}
    return Act(ActKind.PURGED, actor, project_id, subject, details)


def _code(failure: Failure) -> str:
    return failure.code if isinstance(failure, OnpremError) else "os_error"
