"""Ending jobs: canceling them, and deleting all that is stored of them."""

from litestar import Response, delete, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from onprem.errors import JobFinished, NotFound
from onprem.http.bodies import answer
from onprem.http.openapi.contract import Answer, Contract, Tag
from onprem.http.views import JobView, job_view
from onprem.services.keys import Principal, Scope
from onprem.services.use_cases import UseCases


@post(
    "/v1/jobs/{job_id:str}/cancel",
    scope=Scope.JOBS_WRITE,
    contract=Contract(
        tag=Tag.JOBS,
        answers={200: Answer(JobView, description="The job is canceled.")},
        refuses=(NotFound, JobFinished),
        writes=True,
    ),
)
async def cancel_job(
    job_id: FromPath[str], principal: NamedDependency[Principal], use: NamedDependency[UseCases]
) -> Response[bytes]:
    """Cancel a job that waits or runs.

    There will be no output. While its run has not come to an end the job is `stopping`. A job
    that is canceled already stays so.
    """
    await use.cancellation.cancel(principal.project_id, job_id)
    return answer(job_view(await use.jobs.state(principal, job_id)))


@delete(
    "/v1/jobs/{job_id:str}",
    scope=Scope.JOBS_WRITE,
    status_code=202,
    contract=Contract(
        tag=Tag.JOBS,
        answers={
            202: Answer(JobView, description="Deleted, but for the copy that its run stops with."),
            204: Answer(description="Deleted."),
        },
        refuses=(NotFound,),
        writes=True,
    ),
)
async def delete_job(
    job_id: FromPath[str], principal: NamedDependency[Principal], use: NamedDependency[UseCases]
) -> Response[bytes]:
    """Delete a job, its request, output, edits and destinations; cancel it where it has not ended.

    From then on the job is unknown; its receipts can still be read. A job whose run has not come
    to an end can be read until it has.
    """
    if await use.cancellation.delete(principal.project_id, job_id):
        return Response(b"", status_code=204)
    try:
        state = await use.jobs.state(principal, job_id)
    except NotFound:  # its run has ended in this moment
        return Response(b"", status_code=204)
    return answer(job_view(state), 202)
