"""API keys of all projects. A secret is shown once, in the answer that makes it."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from onprem.config.quantities import Duration
from onprem.core.requests import Body
from onprem.errors import InvalidRequest, NotFound
from onprem.faults import Fault
from onprem.http.bodies import answer, read_body, valid
from onprem.http.openapi.contract import Answer, Contract, Tag
from onprem.http.views import iso
from onprem.services.keys import USUAL_SCOPES, Principal, Scope
from onprem.services.use_cases import UseCases
from onprem.store.keys import StoredKey

KEYS = "/v1/admin/keys"


class NewKey(Body, frozen=True):
    """`POST /v1/admin/keys`."""

    name: Annotated[str, Meta(min_length=1, max_length=100, description="What it is for.")]
    project: Annotated[str, Meta(description="The name or id of the project it acts for.")]
    scopes: Annotated[
        tuple[Scope, ...],
        Meta(min_length=1, description="What it may do; all but `admin` if absent."),
    ] = tuple(USUAL_SCOPES)
    expires_in: Annotated[
        str | None, Meta(description="How long it serves, such as `90d`; for ever if absent.")
    ] = None


class KeyView(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A key without its secret."""

    id: str
    name: str
    project_id: str
    scopes: list[str]
    created_at: str
    expires_at: str | None = None
    revoked_at: str | None = None


class IssuedKeyView(KeyView, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """The one answer that shows `key`: only its hash is stored."""

    key: str


class KeyList(msgspec.Struct, frozen=True):
    keys: list[KeyView]


@get(
    KEYS,
    scope=Scope.ADMIN,
    contract=Contract(tag=Tag.ADMINISTRATION, answers={200: Answer(KeyList)}),
)
async def list_keys(
    principal: NamedDependency[Principal], use: NamedDependency[UseCases]
) -> Response[bytes]:
    """All keys of this node, revoked ones among them, the oldest first."""
    views = [KeyView(**_fields(each)) for each in await use.keys.every()]
    return answer(KeyList(views))


@post(
    KEYS,
    scope=Scope.ADMIN,
    contract=Contract(
        tag=Tag.ADMINISTRATION,
        body=NewKey,
        example={"name": "call centre", "project": "default", "expiresIn": "90d"},
        answers={201: Answer(IssuedKeyView, description="The key; it is shown this once.")},
        refuses=(NotFound,),
        writes=True,
    ),
)
async def create_key(
    request: Request[Any, Any, Any],
    principal: NamedDependency[Principal],
    use: NamedDependency[UseCases],
) -> Response[bytes]:
    """Make a key for a project.

    A field that is not known is a 400: an expiry that somebody misspells must not pass for set.
    """
    body = await read_body(request, NewKey)
    unknown = [Fault(name, "There is no such field") for name in body.unknown]
    if unknown:
        raise InvalidRequest([*body.faults, *unknown])
    wanted = valid(body)
    issued = await use.keys.issue(
        wanted.project,
        wanted.name,
        list(wanted.scopes),
        _lifetime(wanted.expires_in),
        actor=principal.actor,
    )
    return answer(IssuedKeyView(key=issued.secret, **_fields(issued.stored)), 201)


@delete(
    KEYS + "/{key_id:str}",
    scope=Scope.ADMIN,
    contract=Contract(
        tag=Tag.ADMINISTRATION,
        answers={204: Answer(description="It opens nothing any more.")},
        refuses=(NotFound,),
        writes=True,
    ),
)
async def revoke_key(
    key_id: FromPath[str], principal: NamedDependency[Principal], use: NamedDependency[UseCases]
) -> None:
    """Revoke a key for good; 404 where that was done before."""
    await use.keys.revoke(key_id, actor=principal.actor)


def _lifetime(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return Duration.parse(text)
    except ValueError as error:
        raise InvalidRequest([Fault("expiresIn", str(error))]) from None


def _fields(key: StoredKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "project_id": key.project_id,
        "scopes": key.scopes,
        "created_at": iso(key.created_at),
        "expires_at": None if key.expires_at is None else iso(key.expires_at),
        "revoked_at": None if key.revoked_at is None else iso(key.revoked_at),
    }
