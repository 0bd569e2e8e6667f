"""The life of a job.

    created ──claim──▶ running ──finish──▶ succeeded | failed | canceled
       │                  │
       │                  └──interrupt──▶ pending ──claim──▶ running …
       └──cancel──▶ canceled

The names are those of the pyannoteAI contract. Terminal states never change.
"""

import enum


class JobKind(enum.StrEnum):
    """What a job does; a project can be kept from each of them."""

    DIARIZE = "diarize"
    IDENTIFY = "identify"
    VOICEPRINT = "voiceprint"
    TRANSCRIBE = "transcribe"


class JobStatus(enum.StrEnum):
    CREATED = "created"
    """Accepted, waiting for its first run."""
    PENDING = "pending"
    """Waiting again, after a run that was interrupted."""
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


TERMINAL = frozenset({JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELED})

_NEXT: dict[JobStatus, frozenset[JobStatus]] = {
    JobStatus.CREATED: frozenset({JobStatus.RUNNING, JobStatus.FAILED, JobStatus.CANCELED}),
    JobStatus.PENDING: frozenset({JobStatus.RUNNING, JobStatus.FAILED, JobStatus.CANCELED}),
    JobStatus.RUNNING: TERMINAL | {JobStatus.PENDING},
}


class IllegalTransition(ValueError):
    """A bug: some code tried to move a job where no job can go."""


def check_transition(now: JobStatus, then: JobStatus) -> None:
    """Raises `IllegalTransition` unless a job may go from `now` to `then`."""
    if then not in _NEXT.get(now, frozenset()):
        raise IllegalTransition(f"a {now} job cannot become {then}")


class Interrupted(enum.Enum):
    """What becomes of a job whose run a crash or a shutdown ended."""

    RUN_AGAIN = "run_again"
    GIVE_UP = "give_up"


def after_crash(attempts: int, claims: int, allowed_attempts: int) -> Interrupted:
    """Whether a job that was running when the server died is run again.

    `attempts` counts the runs that reached the models and `claims` all runs. A job that only
    stood beside the culprit is claimed but never attempted, so it gets many more chances; both
    are bounded, so no job brings the server down for ever.
    """
    if attempts >= allowed_attempts or claims >= 10 * allowed_attempts:
        return Interrupted.GIVE_UP
    return Interrupted.RUN_AGAIN
