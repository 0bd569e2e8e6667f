"""What `/metrics` shows: the counters, and the state of the server when it is asked."""

import math
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec
import prometheus_client
from prometheus_client import ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from onprem import __version__
from onprem.clock import Clock
from onprem.config.settings import Limits
from onprem.core.job import TERMINAL, JobKind, JobStatus
from onprem.services import metric_table as table
from onprem.services.compliance import Compliance, ComplianceReport
from onprem.services.counters import Counters
from onprem.services.health import Health
from onprem.services.metric_table import Metric, MetricType
from onprem.store import retained
from onprem.store.database import Database
from onprem.store.retained import QueueNow
from onprem.threads import in_thread

Family = CounterMetricFamily | GaugeMetricFamily
Values = Mapping[tuple[str, ...], float]
"""By the values of the labels."""


class Observed(msgspec.Struct, frozen=True):
    """The state of the server. `disk` is free bytes and all bytes."""

    now: float
    ready: bool
    report: ComplianceReport
    queue: QueueNow
    ended: Mapping[tuple[JobKind, JobStatus], int]
    deliveries: int
    free_slots: int
    disk: tuple[int, int]


class Metrics:
    """`ended` is a tally that others keep: jobs by kind and terminal status."""

    def __init__(
        self,
        database: Database,
        data_dir: Path,
        counters: Counters,
        compliance: Compliance,
        health: Health,
        ended: Mapping[tuple[JobKind, JobStatus], int],
        limits: Limits,
        clock: Clock,
    ) -> None:
        self._database = database
        self._data_dir = data_dir
        self._counters = counters
        self._compliance = compliance
        self._health = health
        self._ended = ended
        self._limits = limits
        self._clock = clock
        self._process = ProcessCollector(registry=None)

    async def exposition(self) -> bytes:
        """In the text format of Prometheus. Raises StoreBusy, DiskFailed, OSError."""
        observed = await self._observed()
        families = [_family(metric, values) for metric, values in self._measured(observed)]
        return generate_latest(_All(families, [self._counters.registry, self._process]))

    async def _observed(self) -> Observed:
        disk = await in_thread(shutil.disk_usage, self._data_dir)
        return Observed(
            now=self._clock.now(),
            ready=self._health.readiness().ready,
            report=await self._compliance.report(),
            queue=await self._health.queue(),
            ended=self._ended,
            deliveries=await retained.deliveries_waiting(self._database),
            free_slots=await retained.free_key_slots(self._database),
            disk=(disk.free, disk.total),
        )

    def _measured(self, observed: Observed) -> Iterator[tuple[Metric, Values]]:
        yield table.BUILD, {(__version__,): 1}
        yield table.READY, {(): observed.ready}
        yield from _promises(observed.report)
        yield table.WORKER_MEMORY_LIMIT, {(): self._limits.worker_memory}
        yield from _work(observed)
        yield table.JOBS_LIMIT, {(): self._limits.queue_length}
        yield table.DISK_FREE, {(): observed.disk[0]}
        yield table.DISK_SIZE, {(): observed.disk[1]}
        yield table.FREE_SLOTS, {(): observed.free_slots}


def _promises(report: ComplianceReport) -> Iterator[tuple[Metric, Values]]:
    kinds = report.kinds.items()
    yield table.RETAINED, {(kind,): state.live for kind, state in kinds}
    yield table.OLDEST, {(kind,): state.oldest_seconds or 0 for kind, state in kinds}
    yield table.DUE, {(kind,): state.due for kind, state in kinds}
    yield table.OVERDUE, {(kind,): state.overdue for kind, state in kinds}
    yield table.SWEEP_AGE, {(): report.last_sweep_age_seconds}
    yield table.VERIFY_FAILURES, {(): report.verification.failures}
    yield table.UNVERIFIED, {(): report.verification.unresolved}
    verdict = report.canary.verdict
    yield table.CANARY_FOUND, {(): verdict is not None and not verdict.kept}
    proven = report.canary.proven_seconds
    yield table.CANARY_PROVEN, {(): math.nan if proven is None else proven}
    yield table.COPIES, {(): report.worker_copies.live}
    yield table.COPIES_WITHOUT_RUN, {(): report.worker_copies.without_run}
    yield table.WORKER_MEMORY, {(): report.worker_copies.bytes}
    yield table.CLOCK_OFFSET, {(): report.clock.offset_seconds}
    yield table.CLOCK_SYNCHRONISED, {(): report.clock.synchronised}


def _work(observed: Observed) -> Iterator[tuple[Metric, Values]]:
    queue = observed.queue
    since = observed.now if queue.oldest_since is None else queue.oldest_since
    yield table.JOBS, {("waiting",): queue.waiting, ("running",): queue.running}
    yield table.QUEUE_WAIT, {(): max(0.0, observed.now - since)}
    yield (
        table.JOBS_ENDED,
        {
            (kind, status): observed.ended.get((kind, status), 0)
            for kind in JobKind
            for status in sorted(TERMINAL)
        },
    )
    yield table.DELIVERIES, {(): observed.deliveries}


def _family(metric: Metric, values: Values) -> Family:
    counts = metric.type is MetricType.COUNTER
    kind = CounterMetricFamily if counts else GaugeMetricFamily
    family = kind(metric.full_name, metric.help, labels=metric.labels)
    for labels, value in values.items():
        family.add_metric(labels, value)
    return family


class _All(Collector):
    """What was observed, and what was counted."""

    def __init__(self, observed: list[Family], counted: list[Collector]) -> None:
        self._observed = observed
        self._counted = counted

    def collect(self) -> Iterable[prometheus_client.Metric]:
        yield from self._observed
        for collector in self._counted:
            yield from collector.collect()
