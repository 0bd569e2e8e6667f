"""What is broken or at risk on this node."""

from litestar import Response, get
from litestar.di import NamedDependency

from onprem.http.bodies import answer
from onprem.http.openapi.contract import Answer, Contract, Tag
from onprem.services.doctor.finding import Report
from onprem.services.keys import Principal, Scope
from onprem.services.use_cases import UseCases


@get(
    "/v1/admin/doctor",
    scope=Scope.ADMIN,
    contract=Contract(tag=Tag.ADMINISTRATION, answers={200: Answer(Report)}),
)
async def examine_node(
    principal: NamedDependency[Principal], use: NamedDependency[UseCases]
) -> Response[bytes]:
    """Look whether every promise holds, and what puts one at risk.

    As `onprem doctor`, by the server itself. It takes seconds where the ledger is long.
    """
    return answer(await use.doctor.report())
