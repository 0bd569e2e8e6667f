"""Jobs: their state and output, lists of them, and what was deleted of them."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from onprem.core.job import JobStatus
from onprem.errors import NotFound
from onprem.http.bodies import answer
from onprem.http.openapi.contract import Answer, Contract, Tag
from onprem.http.queries import described, read_query
from onprem.http.views import (
    JobList,
    JobPage,
    JobView,
    ReceiptList,
    job_list,
    job_page,
    job_view,
    receipt_view,
)
from onprem.services.keys import Principal, Scope
from onprem.services.use_cases import UseCases

Count = Annotated[int, Meta(ge=1, le=100)]
Status = Annotated[JobStatus | None, Meta(description="Only jobs in this state.")]


class PageOfJobs(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of `GET /v2/jobs`."""

    limit: Annotated[Count, Meta(description="How many at most.")] = 10
    cursor: Annotated[
        UUID | None, Meta(description="The `nextCursor` of the page before; none: the newest.")
    ] = None
    status: Status = None


class SliceOfJobs(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of `GET /v1/jobs`; the second two are other names of the first."""

    take: Annotated[Count | None, Meta(description="How many at most; 10 where absent.")] = None
    skip: Annotated[
        Annotated[int, Meta(ge=0, le=2**31 - 1)] | None,
        Meta(description="How many of the newest to leave out; 0 where absent."),
    ] = None
    limit: Annotated[Count | None, Meta(description="As `take`, which stands above it.")] = None
    offset: Annotated[
        Annotated[int, Meta(ge=0, le=2**31 - 1)] | None,
        Meta(description="As `skip`, which stands above it."),
    ] = None
    status: Status = None


@get(
    "/v2/jobs",
    scope=Scope.JOBS_READ,
    contract=Contract(
        tag=Tag.CONTRACT,
        query=described(PageOfJobs),
        answers={200: Answer(JobPage, description="A page of jobs, the newest first.")},
    ),
)
async def list_jobs(
    request: Request[Any, Any, Any],
    principal: NamedDependency[Principal],
    use: NamedDependency[UseCases],
) -> Response[bytes]:
    """The jobs of the project, page by page, the newest first."""
    asked = read_query(request, PageOfJobs)
    cursor = None if asked.cursor is None else str(asked.cursor)
    page = await use.jobs.page(principal, limit=asked.limit, cursor=cursor, status=asked.status)
    return answer(job_page(page))


@get(
    "/v1/jobs",
    scope=Scope.JOBS_READ,
    contract=Contract(
        tag=Tag.CONTRACT,
        query=described(SliceOfJobs),
        answers={200: Answer(JobList, description="Jobs, the newest first.")},
    ),
)
async def list_jobs_by_number(
    request: Request[Any, Any, Any],
    principal: NamedDependency[Principal],
    use: NamedDependency[UseCases],
) -> Response[bytes]:
    """The jobs of the project, the newest first, as the older API lists them."""
    asked = read_query(request, SliceOfJobs)
    found, total = await use.jobs.slice(
        principal,
        take=asked.take or asked.limit or 10,
        skip=asked.skip if asked.skip is not None else asked.offset or 0,
        status=asked.status,
    )
    return answer(job_list(found, total))


@get(
    "/v1/jobs/{job_id:str}",
    scope=Scope.JOBS_READ,
    contract=Contract(
        tag=Tag.CONTRACT,
        answers={200: Answer(JobView, description="The job as it is now.")},
        refuses=(NotFound,),
        writes=True,
    ),
)
async def get_job(
    job_id: FromPath[str], principal: NamedDependency[Principal], use: NamedDependency[UseCases]
) -> Response[bytes]:
    """The job as it is now; its `output` until the deadline, and not a second longer.

    An answer with the output is an entry of the access log.
    """
    return answer(job_view(await use.jobs.get(principal, job_id)))


@get(
    "/v1/jobs/{job_id:str}/receipts",
    scope=Scope.JOBS_READ,
    contract=Contract(
        tag=Tag.JOBS,
        answers={200: Answer(ReceiptList, description="In the order of deletion.")},
        refuses=(NotFound,),
    ),
)
async def get_receipts(
    job_id: FromPath[str], principal: NamedDependency[Principal], use: NamedDependency[UseCases]
) -> Response[bytes]:
    """The deletion receipts of the job, which outlive it."""
    found = await use.jobs.receipts(principal, job_id)
    return answer(ReceiptList([receipt_view(receipt) for receipt in found]))
