"""What became of a job's webhook and upload, and the word that its output has arrived."""

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from onprem.errors import NotFound, OutputNotReady
from onprem.http.bodies import answer
from onprem.http.delivery_views import Acknowledged, DeliveryList, delivery_view
from onprem.http.openapi.contract import Answer, Contract, Tag
from onprem.http.views import iso
from onprem.services.keys import Principal, Scope
from onprem.services.use_cases import UseCases


@get(
    "/v1/jobs/{job_id:str}/deliveries",
    scope=Scope.JOBS_READ,
    contract=Contract(tag=Tag.DELIVERIES, answers={200: Answer(DeliveryList)}, refuses=(NotFound,)),
)
async def list_deliveries(
    job_id: FromPath[str], principal: NamedDependency[Principal], use: NamedDependency[UseCases]
) -> Response[bytes]:
    """The job's webhook and upload, with each try."""
    found = await use.deliveries.of_job(principal, job_id)
    return answer(DeliveryList([delivery_view(delivery) for delivery in found]))


@post(
    "/v1/jobs/{job_id:str}/ack",
    scope=Scope.JOBS_WRITE,
    contract=Contract(
        tag=Tag.DELIVERIES,
        answers={200: Answer(Acknowledged, description="Noted, now or before.")},
        refuses=(NotFound, OutputNotReady),
        writes=True,
    ),
)
async def acknowledge(
    job_id: FromPath[str], principal: NamedDependency[Principal], use: NamedDependency[UseCases]
) -> Response[bytes]:
    """Say that you have the output. The first time counts."""
    job = await use.deliveries.acknowledge(principal, job_id)
    assert job.acknowledged_at is not None
    return answer(Acknowledged(job.id, iso(job.acknowledged_at)))
