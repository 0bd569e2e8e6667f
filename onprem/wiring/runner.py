"""The job runner."""

from onprem.core.regions import served_by
from onprem.media.fetch import FetchPolicy
from onprem.runner.accelerator import Accelerator
from onprem.runner.job_run import JobRunner
from onprem.runner.lanes import Lanes
from onprem.runner.loop import RunnerLoop
from onprem.runner.ports import Engine
from onprem.runner.source import Source
from onprem.wiring.parts import Parts


def runner_loop(
    parts: Parts, engine: Engine, accelerator: Accelerator, fetching: FetchPolicy
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
