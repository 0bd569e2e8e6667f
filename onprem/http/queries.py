"""Query parameters: a struct states them, converts them, and describes them in the contract."""

from typing import Annotated, Any, TypeVar, get_args, get_origin

import msgspec
from litestar import Request
from msgspec import Meta

from onprem.core.fieldwise import convert_fields
from onprem.errors import InvalidRequest
from onprem.http.openapi.contract import Query

S = TypeVar("S", bound=msgspec.Struct)


def read_query(request: Request[Any, Any, Any], into: type[S]) -> S:
    """Raises InvalidRequest with each parameter that is not as it must be. Unknown ones are
    let pass, as in bodies."""
    made = convert_fields(into, dict(request.query_params.items()), strict=False)
    if made.value is None:
        raise InvalidRequest(made.faults)
    return made.value


def described(parameters: type[msgspec.Struct]) -> dict[str, Query]:
    """For the `query` of a contract."""
    fields = msgspec.structs.fields(parameters)
    return {field.encode_name: Query(field.type, _description(field.type)) for field in fields}


def _description(kind: Any) -> str:
    assert get_origin(kind) is Annotated, "a query parameter needs a description"
    metas = [part for part in get_args(kind) if isinstance(part, Meta) and part.description]
    return str(metas[0].description)
