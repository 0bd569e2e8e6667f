"""What an operator sets for a project: where its jobs run, what they may do, how much of it."""

import msgspec

from onprem.core.job import JobKind
from onprem.core.regions import ANY_REGION


class ProjectSettings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Written into each job at submission: a change touches later submissions only.

    `region`: `any`, `eu`, or the name of one. `operations`: kinds of jobs that are allowed.
    `consent_required`: a voiceprint needs a `consentRef`. The quotas are None where only the
    server's own limits count: `media_bytes` of live uploads, `queued_jobs` that wait or run,
    `requests_per_minute` to one endpoint.
    """

    region: str = ANY_REGION
    operations: frozenset[JobKind] = frozenset(JobKind)
    consent_required: bool = False
    media_bytes: int | None = None
    queued_jobs: int | None = None
    requests_per_minute: int | None = None
