"""This node: its models, how much it was used, and the settings that hold."""

from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency

from onprem.config.render import shown
from onprem.errors import InvalidRequest
from onprem.faults import Fault
from onprem.http.bodies import answer
from onprem.http.openapi.contract import Answer, Contract, Query, Tag
from onprem.services.installed import ModelsAtHand
from onprem.services.keys import Principal, Scope
from onprem.services.usage import GroupBy, Used
from onprem.services.use_cases import UseCases


@get(
    "/v1/admin/models",
    scope=Scope.ADMIN,
    contract=Contract(tag=Tag.ADMINISTRATION, answers={200: Answer(ModelsAtHand)}),
)
async def list_installed_models(
    principal: NamedDependency[Principal], use: NamedDependency[UseCases]
) -> Response[bytes]:
    """Installed models, what is put together from them, the defaults, and the aliases."""
    return answer(await use.installed.every())


@get(
    "/v1/admin/usage",
    scope=Scope.ADMIN,
    contract=Contract(
        tag=Tag.ADMINISTRATION,
        query={"by": Query(GroupBy, "How fine the table is; `project` where absent.")},
        answers={200: Answer(Used)},
    ),
)
async def show_usage(
    request: Request[Any, Any, Any],
    principal: NamedDependency[Principal],
    use: NamedDependency[UseCases],
) -> Response[bytes]:
    """Jobs by kind and status, seconds of audio, and media, for each project."""
    by = request.query_params.get("by", GroupBy.PROJECT)
    if by not in list(GroupBy):
        raise InvalidRequest([Fault("by", f"Expected {' or '.join(GroupBy)}")])
    return answer(await use.usage.table(GroupBy(by)))


@get(
    "/v1/admin/settings",
    scope=Scope.ADMIN,
    contract=Contract(tag=Tag.ADMINISTRATION, answers={200: Answer(dict[str, dict[str, Any]])}),
)
async def show_settings(
    principal: NamedDependency[Principal], use: NamedDependency[UseCases]
) -> Response[bytes]:
    """The configuration that this server runs with; secrets are not among it."""
    return answer(shown(use.settings))
