"""Moving recordings: ask for a link, then PUT the raw bytes to it, or GET them from it."""

from typing import Any

import msgspec
from litestar import Request, Response, get, post, put
from litestar.di import NamedDependency
from litestar.exceptions import InternalServerException
from litestar.params import FromPath
from litestar.types import ASGIApp

from onprem.core.byte_range import ByteRange, byte_range
from onprem.core.requests import MediaRequest, media_key
from onprem.errors import (
    DownloadLinkInvalid,
    InvalidRequest,
    MediaGone,
    MediaQuotaExceeded,
    MediaTooLarge,
    RangeNotSatisfiable,
    UploadIncomplete,
    UploadLinkInvalid,
    UploadLinkUsed,
)
from onprem.faults import Fault
from onprem.http.addresses import Addresses
from onprem.http.bodies import answer, read_body, valid
from onprem.http.openapi.contract import Answer, Contract, Tag
from onprem.http.streams import streamed
from onprem.services.downloads import Download
from onprem.services.keys import Principal, Scope
from onprem.services.use_cases import UseCases

UPLOAD_PATH = "/v1/media/upload"
DOWNLOAD_PATH = "/v1/media/download"


class MediaResponse(msgspec.Struct, frozen=True):
    """The contract's answer: a link that is its own permission."""

    url: str


@post(
    "/v1/media/input",
    scope=Scope.MEDIA_WRITE,
    contract=Contract(
        tag=Tag.CONTRACT,
        body=MediaRequest,
        example={"url": "media://calls/monday.wav"},
        answers={201: Answer(MediaResponse, description="PUT the recording to `url`.")},
    ),
)
async def declare_upload(
    request: Request[Any, Any, Any],
    principal: NamedDependency[Principal],
    use: NamedDependency[UseCases],
    addresses: NamedDependency[Addresses],
) -> Response[bytes]:
    """Ask for a link that takes one PUT within the hour."""
    body = valid(await read_body(request, MediaRequest))
    key = media_key(body.url)
    if key is None:
        raise InvalidRequest([Fault("url", "Invalid media URL")])
    token = use.uploads.declare(principal, key)
    return answer(MediaResponse(f"{addresses.base}{UPLOAD_PATH}/{token}"), 201)


@put(
    UPLOAD_PATH + "/{token:str}",
    contract=Contract(
        tag=Tag.MEDIA,
        upload="application/octet-stream",
        answers={200: Answer(description="The recording is encrypted on the disk.")},
        refuses=(
            *(UploadLinkInvalid, UploadLinkUsed),
            *(MediaTooLarge, MediaQuotaExceeded),
        ),
        writes=True,
    ),
)
async def receive_upload(
    request: Request[Any, Any, Any], token: FromPath[str], use: NamedDependency[UseCases]
) -> Response[bytes]:
    """Upload a recording.

    The link is the permission: no key is sent. Any Content-Type, or none.
    """
    declared = request.headers.get("content-length")
    length = int(declared) if declared is not None and declared.isdigit() else None
    try:
        await use.uploads.receive(token, request.stream(), length)
    except InternalServerException:  # litestar's way to say that the client went away
        raise UploadIncomplete() from None
    return Response(b"", status_code=200)


@post(
    "/v1/media/output",
    scope=Scope.MEDIA_READ,
    contract=Contract(
        tag=Tag.CONTRACT,
        body=MediaRequest,
        example={"url": "media://calls/monday.wav"},
        answers={201: Answer(MediaResponse, description="GET the recording from `url`.")},
    ),
)
async def declare_download(
    request: Request[Any, Any, Any],
    principal: NamedDependency[Principal],
    use: NamedDependency[UseCases],
    addresses: NamedDependency[Addresses],
) -> Response[bytes]:
    """Ask for a link that gives an uploaded recording back, any number of times in the hour."""
    body = valid(await read_body(request, MediaRequest))
    token = await use.downloads.declare(principal, body.url)
    return answer(MediaResponse(f"{addresses.base}{DOWNLOAD_PATH}/{token}"), 201)


@get(
    DOWNLOAD_PATH + "/{token:str}",
    contract=Contract(
        tag=Tag.MEDIA,
        headers={"Range": "One range of bytes, as players ask for it."},
        answers={
            200: Answer(media="application/octet-stream", description="The whole recording."),
            206: Answer(media="application/octet-stream", description="The range asked for."),
        },
        refuses=(DownloadLinkInvalid, MediaGone, RangeNotSatisfiable),
        writes=True,
    ),
)
async def send_download(
    request: Request[Any, Any, Any], token: FromPath[str], use: NamedDependency[UseCases]
) -> ASGIApp:
    """Download a recording.

    The link is the permission: no key is sent. At the deadline of the recording, and when it is
    deleted, a download that is still under way breaks off. Each answer is an entry of the access
    log, in the name of the key that asked for the link.
    """
    download = await use.downloads.find(token)
    size, tag = download.version.size, f'"{download.version.artefact_id.hex()}"'
    part = byte_range(_range_wanted(request, tag), size)
    if part is None:
        raise RangeNotSatisfiable(size=size)
    sending = await use.downloads.begin(download, part.start, part.stop)
    status, headers = 200, _headers(download, part, tag)
    if part != (0, size):
        status = 206
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
    return streamed(sending.pieces, status, headers, sending.seconds)


def _range_wanted(request: Request[Any, Any, Any], tag: str) -> str | None:
    """None also where the client holds a part of another version than `tag`."""
    if request.headers.get("if-range", tag) != tag:
        return None
    return request.headers.get("range")


def _headers(download: Download, part: ByteRange, tag: str) -> dict[str, str]:
    # A key has letters, digits and "-_./" only: none of them ends a quoted name.
    name = download.version.key.rpartition("/")[2].lstrip(".") or "media"
    return {
        "Content-Type": "application/octet-stream",
        "Content-Length": str(part.stop - part.start),
        "Content-Disposition": f'attachment; filename="{name}"',
        "Accept-Ranges": "bytes",
        "ETag": tag,
    }
