"""Uploads: ask for a link, then PUT the raw bytes to it."""

from typing import Any

from litestar import Request, Response, post, put
from litestar.di import NamedDependency
from litestar.exceptions import InternalServerException
from litestar.params import FromPath

from onprem.core.requests import MediaRequest, media_key
from onprem.errors import InvalidRequest, UploadIncomplete
from onprem.faults import Fault
from onprem.http.addresses import Addresses
from onprem.http.bodies import answer, read_body, valid
from onprem.services.keys import Principal, Scope
from onprem.services.use_cases import UseCases

UPLOAD_PATH = "/v1/media/upload"


@post("/v1/media/input", scope=Scope.MEDIA_WRITE)
async def declare_upload(
    request: Request[Any, Any, Any],
    principal: NamedDependency[Principal],
    use: NamedDependency[UseCases],
    addresses: NamedDependency[Addresses],
) -> Response[bytes]:
    """201 with a link that takes one PUT within the hour."""
    body = valid(await read_body(request, MediaRequest))
    key = media_key(body.url)
    if key is None:
        raise InvalidRequest([Fault("url", "Invalid media URL")])
    token = use.uploads.declare(principal.project_id, key)
    return answer({"url": f"{addresses.base}{UPLOAD_PATH}/{token}"}, 201)


@put(UPLOAD_PATH + "/{token:str}")
async def receive_upload(
    request: Request[Any, Any, Any], token: FromPath[str], use: NamedDependency[UseCases]
) -> Response[bytes]:
    """The link is the permission: no key is sent. Any Content-Type, or none."""
    declared = request.headers.get("content-length")
    length = int(declared) if declared is not None and declared.isdigit() else None
    try:
        await use.uploads.receive(token, request.stream(), length)
    except InternalServerException:  # litestar's way to say that the client went away
        raise UploadIncomplete() from None
    return Response(b"", status_code=200)
