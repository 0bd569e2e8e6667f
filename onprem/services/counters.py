"""What is counted as it happens, since the start of the process."""

import enum

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

from onprem.services import metric_table as table
from onprem.services.metric_table import Metric

LATENCY_BUCKETS = (0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 60.0, 300.0)
"""Seconds. The last ones are for uploads, and for calls that wait for their job."""

# A time of creation beside each counter would double what is scraped, and nobody asks for it.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Purpose(enum.StrEnum):
    """Why the server wanted to connect."""

    FETCH = "fetch"
    DELIVERY = "delivery"


class Counters:
    """In a registry of their own: the library's global one is never read."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._denied = self._counter(table.EGRESS_DENIED)
        for purpose in Purpose:
            self._denied.labels(purpose)  # 0 is an answer too
        self._requests = self._counter(table.REQUESTS)
        latency = table.LATENCY
        self._latency = Histogram(
            latency.full_name,
            latency.help,
            latency.labels,
            registry=self.registry,
            buckets=LATENCY_BUCKETS,
        )

    def _counter(self, metric: Metric) -> Counter:
        return Counter(metric.full_name, metric.help, metric.labels, registry=self.registry)

    def denied(self, purpose: Purpose) -> None:
        """A connection was refused."""
        self._denied.labels(purpose).inc()

    def answered(self, route: str, method: str, status: str, seconds: float) -> None:
        """`route` is a template of ours, never a path."""
        self._requests.labels(route, method, status).inc()
        self._latency.labels(route, method).observe(seconds)
