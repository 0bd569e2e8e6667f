"""The retention policy as it holds: ceilings, what is configured, and each project's own."""

import msgspec

from onprem.config.settings import Settings
from onprem.core.project import ProjectSettings
from onprem.core.retention import (
    DELIVERED_SECONDS,
    GRACE_SECONDS,
    MEDIA_CEILING,
    OUTPUT_CEILING,
    media_life,
    output_life,
)
from onprem.services.checkpoints import CHECKPOINT_SECONDS
from onprem.services.sweep import SWEEP_SECONDS
from onprem.store import projects
from onprem.store.database import Database


class Life(msgspec.Struct, frozen=True, rename="camel"):
    """Seconds from the end of the upload, and of the job, at most.

    `until_delivered`: an output goes as soon as it was delivered, and a minute has passed.
    """

    media: float
    output: float
    until_delivered: bool


class ProjectPolicy(msgspec.Struct, frozen=True, rename="camel"):
    """`life` is what holds for it; `settings` are its own, which may only shorten that."""

    id: str
    life: Life
    settings: ProjectSettings


class Policy(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """All in seconds. Nobody, no project and no job goes beyond the ceilings."""

    media_ceiling: float = MEDIA_CEILING
    output_ceiling: float = OUTPUT_CEILING
    after_delivery: float = DELIVERED_SECONDS
    sweep_every: float = SWEEP_SECONDS
    on_disk_after_deadline: float = GRACE_SECONDS
    checkpoint_every: float = CHECKPOINT_SECONDS
    canary_every: float
    life: Life
    queue: float
    metadata: float
    receipts: float
    access_log: float
    checkpoints_leave_by: list[str]
    region: str
    projects: list[ProjectPolicy]


async def policy(database: Database, settings: Settings) -> Policy:
    retention = settings.retention
    exits = {"file": retention.checkpoint_file, "webhook": retention.checkpoint_webhook}
    return Policy(
        canary_every=float(retention.canary),
        life=_life(settings, ProjectSettings()),
        queue=float(settings.limits.queue_ttl),
        metadata=float(retention.metadata),
        receipts=float(retention.receipts),
        access_log=float(retention.access_log),
        checkpoints_leave_by=[name for name, value in exits.items() if value is not None],
        region=settings.node.region,
        projects=[
            ProjectPolicy(project.id, _life(settings, project.settings), project.settings)
            for project in sorted(await projects.every(database), key=lambda each: each.id)
        ],
    )


def _life(settings: Settings, project: ProjectSettings) -> Life:
    retention = settings.retention
    output = output_life(retention.output, project.output_retention)
    return Life(
        float(media_life(retention.media, project.media_retention)),
        float(output.seconds),
        output.until_delivered,
    )
