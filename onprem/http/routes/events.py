"""`GET /v1/jobs/{jobId}/events`: how far a job is, as server-sent events."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream

from onprem.core.job import TERMINAL, JobStatus
from onprem.errors import NotFound
from onprem.http.openapi.contract import Answer, Contract, Tag
from onprem.http.views import iso
from onprem.services.job_events import JobEvent
from onprem.services.keys import Principal, Scope
from onprem.services.use_cases import UseCases

_RETRY = b"retry: 2000\n\n"
"""Milliseconds after which a browser connects again when the stream breaks off."""


class ProgressEvent(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """`data` of an event; `percent` is that of the `stage`."""

    status: JobStatus
    stage: str | None = None
    percent: int | None = None
    queue_position: int | None = None
    eta: str | None = None


@get(
    "/v1/jobs/{job_id:str}/events",
    scope=Scope.JOBS_READ,
    contract=Contract(
        tag=Tag.JOBS,
        answers={
            200: Answer(
                media="text/event-stream",
                description="`progress` events, and one `done` when the job has ended.",
            )
        },
        refuses=(NotFound,),
    ),
)
async def follow_job(
    job_id: FromPath[str], principal: NamedDependency[Principal], use: NamedDependency[UseCases]
) -> Stream:
    """How far the job is, pushed as it changes, as server-sent events.

    The first event is the present state. The stream ends when the job has, and when the server
    stops.
    """
    await use.jobs.state(principal, job_id)
    events = use.job_events.follow(principal, job_id)
    return Stream(_sent(events), media_type="text/event-stream")


async def _sent(events: AsyncGenerator[JobEvent | None, None]) -> AsyncIterator[bytes]:
    async with aclosing(events):
        yield _RETRY
        async for event in events:
            yield b": still here\n\n" if event is None else _encoded(event)


def _encoded(event: JobEvent) -> bytes:
    """Without content: only states and figures."""
    if event.status in TERMINAL:
        name, shown = "done", ProgressEvent(event.status)
    else:
        stage, percent = (
            (event.progress.stage, event.progress.percent) if event.progress else (None, None)
        )
        eta = None if event.eta is None else iso(event.eta)
        name = "progress"
        shown = ProgressEvent(event.status, stage, percent, event.queue_position, eta)
    return f"event: {name}\ndata: {msgspec.json.encode(shown).decode()}\n\n".encode()
