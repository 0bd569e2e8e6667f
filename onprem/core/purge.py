"""Purges: what was selected, and the one plan that a dry run shows and a purge carries out."""

import enum
from collections.abc import Iterable
from typing import Protocol

import msgspec

from onprem.core.receipt import ArtefactKind, DeletionReason
from onprem.errors import PurgeRefused
from onprem.faults import Fault

EVERYTHING = "purge everything"
"""What somebody has to write who purges all content of all projects."""


class What(enum.StrEnum):
    DUE = "due"
    """What every sweep deletes."""
    JOB = "job"
    MEDIA = "media"
    PROJECT = "project"
    """Not only its content: the project itself."""
    ALL = "all"
    """All content of all projects. Projects and keys stay."""


class Selection(msgspec.Struct, frozen=True, omit_defaults=True):
    """`name`: a job's id, `PROJECT/KEY` of media, a project's name or id."""

    what: What
    name: str = ""


def selection(
    *,
    due: bool = False,
    job: str | None = None,
    media: str | None = None,
    project: str | None = None,
    everything: bool = False,
) -> Selection:
    """Raises PurgeRefused: nothing is selected, or more than one thing."""
    named = {What.JOB: job, What.MEDIA: media, What.PROJECT: project}
    chosen = [Selection(what, name) for what, name in named.items() if name is not None]
    chosen += [Selection(What.DUE)] * due + [Selection(What.ALL)] * everything
    if len(chosen) != 1:
        why = "Nothing is selected" if not chosen else "Select one thing at a time"
        raise PurgeRefused([Fault("selection", f"{why}: due, job, media, project or all")])
    return chosen[0]


class Item(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One artefact of a plan. `size` in bytes of plaintext, `due_at` in seconds since the epoch.

    `reason` will stand in its receipt; `why` says the same in words.
    """

    artefact_id: str
    kind: ArtefactKind
    project_id: str
    size: int
    due_at: float
    reason: DeletionReason
    why: str
    job_id: str | None = None

    @property
    def record(self) -> bytes:
        return bytes.fromhex(self.artefact_id)


class Total(msgspec.Struct, frozen=True):
    count: int
    bytes: int


class ProjectRecords(msgspec.Struct, frozen=True, rename="camel"):
    """What goes of a project beside its artefacts: rows without content, in numbers.

    `keys` are revoked and lose their names; all others are deleted.
    """

    project_id: str
    keys: int = 0
    webhook_secrets: int = 0
    idempotency_keys: int = 0
    jobs: int = 0
    deliveries: int = 0
    media_names: int = 0


class Plan(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What a purge will do, in the order in which it will.

    `at`: retention time when it was made. `ending_with_run`: worker copies, which only the end of
    their run can free. `canceled_jobs` have not ended yet; `hidden_jobs` are shown by no read
    from then on. `project`: what goes with a whole project.
    """

    selection: Selection
    at: float
    items: list[Item]
    ending_with_run: list[Item] = []
    canceled_jobs: list[str] = []
    hidden_jobs: list[str] = []
    project: ProjectRecords | None = None

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        found = (self.items, self.ending_with_run, self.canceled_jobs, self.hidden_jobs)
        return not any(found) and self.project is None


class Sized(Protocol):
    """An item of a plan, or a live artefact."""

    @property
    def kind(self) -> ArtefactKind: ...

    @property
    def size(self) -> int: ...


def totals(items: Iterable[Sized]) -> dict[ArtefactKind, Total]:
    """Counts and bytes by kind, the kinds in the order of their names."""
    found: dict[ArtefactKind, Total] = {}
    for item in items:
        before = found.get(item.kind, Total(0, 0))
        found[item.kind] = Total(before.count + 1, before.bytes + item.size)
    return dict(sorted(found.items()))


def why(reason: DeletionReason, what: What) -> str:
    """In words, why something is in the plan of such a selection."""
    if reason is DeletionReason.PURGED:
        return _SELECTED[what]
    return _REASONS[reason]


WHILE_IT_RUNS = "its run holds it in memory; it goes when that run has ended"

_SELECTED = {
    What.JOB: "its job is purged",
    What.MEDIA: "this upload is purged",
    What.ALL: "everything is purged",
}
_REASONS = {
    DeletionReason.DEADLINE: "its deadline has passed",
    DeletionReason.JOB_ENDED: "its job has ended, or ends now",
    DeletionReason.DELIVERIES_ENDED: "its job has no delivery left to make",
    DeletionReason.REQUESTED: "its owner deleted it",
    DeletionReason.REPLACED: "a newer upload took its name, and no unfinished job needs it",
    DeletionReason.PROJECT_ERASED: "its project is erased",
}
