"""The metrics: each with its name, its type, its labels and its help, once.

`/metrics` and the table in docs/operations.md are made from it. A label is never a project, an id,
a name or a URL: its values are those of an enumeration of ours.
"""

import enum

import msgspec


class MetricType(enum.StrEnum):
    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"


class Metric(msgspec.Struct, frozen=True):
    """`name` without the prefix, and without `_total` where it is a counter."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    type: MetricType = MetricType.GAUGE

    @property
    def full_name(self) -> str:
        """As it is exposed."""
        return PREFIX + self.name + ("_total" if self.type is MetricType.COUNTER else "")


PREFIX = "onprem_"

BUILD = Metric("build_info", "Always 1; the version is its label.", ("version",))
READY = Metric("ready", "1 while the models are loaded and jobs are taken, as /healthz/ready.")

RETAINED = Metric("retained_objects", "Objects that live now.", ("kind",))
OLDEST = Metric(
    "retention_oldest_seconds", "Age of the oldest object; 0 where there is none.", ("kind",)
)
DUE = Metric(
    "retention_due_objects", "Objects past their deadline, which the next sweep takes.", ("kind",)
)
OVERDUE = Metric(
    "retention_overdue_objects", "Objects more than 60 s past their deadline. Must be 0.", ("kind",)
)
SWEEP_AGE = Metric(
    "retention_last_sweep_age_seconds",
    "Time since the last sweep of the server that did all it had to. One runs every 30 s.",
)
VERIFY_FAILURES = Metric(
    "deletion_verify_failures",
    "Deletions that reading back did not confirm. They count as not done, and are tried again.",
    type=MetricType.COUNTER,
)
UNVERIFIED = Metric(
    "deletion_unverified", "Such deletions that have not been made good yet. Must be 0."
)
CANARY_FOUND = Metric(
    "canary_found", "1 while the last canary left bytes behind, or showed its plaintext. Must be 0."
)
CANARY_PROVEN = Metric(
    "canary_proven_seconds",
    "Time since a canary was last seen to be gone without a trace; NaN where none ever was.",
)
COPIES = Metric("worker_copies", "Worker copies that live now.")
COPIES_WITHOUT_RUN = Metric(
    "worker_copies_without_run", "Worker copies that no run works on. Must be 0."
)
WORKER_MEMORY = Metric("worker_memory_bytes", "Memory that is reserved for worker copies.")
WORKER_MEMORY_LIMIT = Metric("worker_memory_limit_bytes", "`limits.worker_memory`.")
CLOCK_OFFSET = Metric(
    "clock_offset_seconds", "How far the time of day is ahead of the time that deadlines go by."
)
CLOCK_SYNCHRONISED = Metric(
    "clock_synchronised", "1 while the kernel calls the clock synchronised."
)

JOBS = Metric("jobs", "Jobs that have not ended, `waiting` or `running`.", ("status",))
JOBS_LIMIT = Metric("jobs_limit", "`limits.queue_length`: with so many, submissions are refused.")
QUEUE_WAIT = Metric("queue_oldest_wait_seconds", "How long the first of the waiting jobs waits.")
JOBS_ENDED = Metric(
    "jobs_ended",
    "Jobs that this server ended, by kind and status.",
    ("kind", "status"),
    MetricType.COUNTER,
)
DELIVERIES = Metric("deliveries_waiting", "Webhooks and uploads of results that are to be made.")
EGRESS_DENIED = Metric(
    "egress_denied",
    "Connections refused because nothing allows their destination, on a `fetch` or a `delivery`.",
    ("purpose",),
    MetricType.COUNTER,
)
DISK_FREE = Metric("disk_free_bytes", "Room on the disk of the data directory.")
DISK_SIZE = Metric("disk_size_bytes", "Size of that disk.")
FREE_SLOTS = Metric(
    "record_key_slots_free", "Free slots of the record-key file, which grows as needed."
)
REQUESTS = Metric(
    "http_requests",
    "Answers, by the route's template, method and status.",
    ("route", "method", "status"),
    MetricType.COUNTER,
)
LATENCY = Metric(
    "http_request_duration_seconds",
    "Time from the head of a request to the end of its answer.",
    ("route", "method"),
    MetricType.HISTOGRAM,
)

EVERY = tuple(value for value in list(globals().values()) if isinstance(value, Metric))
