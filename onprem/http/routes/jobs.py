"""Reading jobs: their state and output, and what was deleted of them."""

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from onprem.http.bodies import answer
from onprem.http.views import job_view, receipt_view
from onprem.services.keys import Principal, Scope
from onprem.services.use_cases import UseCases


@get("/v1/jobs/{job_id:str}", scope=Scope.JOBS_READ)
async def get_job(
    job_id: FromPath[str], principal: NamedDependency[Principal], use: NamedDependency[UseCases]
) -> Response[bytes]:
    """The job as it is now; its `output` until the deadline, and not a second longer."""
    return answer(job_view(await use.jobs.get(principal, job_id)))


@get("/v1/jobs/{job_id:str}/receipts", scope=Scope.JOBS_READ)
async def get_receipts(
    job_id: FromPath[str], principal: NamedDependency[Principal], use: NamedDependency[UseCases]
) -> Response[bytes]:
    """The deletion receipts of the job, in the order of deletion."""
    found = await use.jobs.receipts(principal, job_id)
    return answer({"receipts": [receipt_view(receipt) for receipt in found]})
