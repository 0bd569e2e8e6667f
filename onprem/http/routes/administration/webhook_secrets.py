"""The secrets that sign webhooks: shown and rotated by the operator."""

from typing import Annotated, Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from msgspec import Meta

from onprem.config.quantities import Duration
from onprem.core.requests import Body
from onprem.errors import InvalidRequest, NotFound
from onprem.faults import Fault
from onprem.http.bodies import answer, read_body, valid
from onprem.http.delivery_views import SecretList, secret_list
from onprem.http.openapi.contract import Answer, Contract, Query, Tag
from onprem.services.keys import Principal, Scope
from onprem.services.use_cases import UseCases

_PATH = "/v1/admin/webhook-secrets"


class RotationRequest(Body, frozen=True):
    """`POST /v1/admin/webhook-secrets`."""

    project: Annotated[str, Meta(description="Its name or id.")]
    overlap: Annotated[
        str, Meta(description="How long the old secret goes on signing, such as `24h`; up to 30d.")
    ] = "24h"


@get(
    _PATH,
    scope=Scope.ADMIN,
    contract=Contract(
        tag=Tag.ADMINISTRATION,
        query={"project": Query(str, "Its name or id.", required=True, example="default")},
        answers={200: Answer(SecretList)},
        refuses=(NotFound, InvalidRequest),
        writes=True,
    ),
)
async def reveal_webhook_secrets(
    request: Request[Any, Any, Any],
    principal: NamedDependency[Principal],
    use: NamedDependency[UseCases],
) -> Response[bytes]:
    """The secrets that sign a project's webhooks; the first look makes one."""
    project = request.query_params.get("project")
    if project is None:
        raise InvalidRequest([Fault("project", "Required")])
    found = await use.webhook_secrets.reveal(project, actor=principal.actor)
    return answer(secret_list(found))


@post(
    _PATH,
    scope=Scope.ADMIN,
    contract=Contract(
        tag=Tag.ADMINISTRATION,
        body=RotationRequest,
        example={"project": "default", "overlap": "24h"},
        answers={201: Answer(SecretList, description="All that sign now, the new one first.")},
        refuses=(NotFound,),
        writes=True,
    ),
)
async def rotate_webhook_secret(
    request: Request[Any, Any, Any],
    principal: NamedDependency[Principal],
    use: NamedDependency[UseCases],
) -> Response[bytes]:
    """A new secret for a project; the old one goes on signing beside it for the overlap."""
    body = valid(await read_body(request, RotationRequest))
    rotated = await use.webhook_secrets.rotate(
        body.project, _overlap(body.overlap), actor=principal.actor
    )
    return answer(secret_list(rotated), 201)


def _overlap(text: str) -> float:
    try:
        return Duration.parse(text)
    except ValueError as error:
        raise InvalidRequest([Fault("overlap", str(error))]) from None
