"""What media there is, deleting it before its deadline, and the receipts of it."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, delete, get
from litestar.di import NamedDependency
from msgspec import Meta

from onprem.errors import InvalidRequest, NotFound, PurgeIncomplete
from onprem.faults import Fault
from onprem.http.bodies import answer
from onprem.http.openapi.contract import Answer, Contract, Query, Tag
from onprem.http.queries import described, read_query
from onprem.http.views import ReceiptView, iso, receipt_view
from onprem.services.keys import Principal, Scope
from onprem.services.media_library import url_of
from onprem.services.use_cases import UseCases
from onprem.store.media import MediaVersion


class Paging(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of both lists."""

    limit: Annotated[int, Meta(ge=1, le=100, description="How many at most.")] = 10
    cursor: Annotated[
        str | None, Meta(description="The `nextCursor` of the page before; none: the first.")
    ] = None


class MediaView(msgspec.Struct, frozen=True, rename="camel"):
    """One recording, at its newest version; `size` in bytes."""

    url: str
    artefact_id: str
    size: int
    created_at: str
    expires_at: str


class MediaList(msgspec.Struct, frozen=True, rename="camel"):
    """`nextCursor` is null where no more follows."""

    items: list[MediaView]
    next_cursor: str | None


class MediaReceipts(msgspec.Struct, frozen=True, rename="camel"):
    """As `MediaList`."""

    receipts: list[ReceiptView]
    next_cursor: str | None


class MediaDeleted(msgspec.Struct, frozen=True):
    """The bytes are gone."""

    receipt: ReceiptView


class MediaDeletionPending(msgspec.Struct, frozen=True, rename="camel"):
    """The name is gone; the bytes go after the job, and at `expiresAt` at the latest."""

    artefact_id: str
    expires_at: str


@get(
    "/v1/media",
    scope=Scope.MEDIA_READ,
    contract=Contract(tag=Tag.MEDIA, query=described(Paging), answers={200: Answer(MediaList)}),
)
async def list_media(
    request: Request[Any, Any, Any],
    principal: NamedDependency[Principal],
    use: NamedDependency[UseCases],
) -> Response[bytes]:
    """Media that can be used now, in the order of their URLs."""
    asked = read_query(request, Paging)
    page = await use.media.page(principal.project_id, limit=asked.limit, cursor=asked.cursor)
    return answer(MediaList([media_view(each) for each in page.versions], page.next_cursor))


@delete(
    "/v1/media",
    scope=Scope.MEDIA_WRITE,
    status_code=200,
    contract=Contract(
        tag=Tag.MEDIA,
        query={"url": Query(str, "The `media://` URL.", required=True, example="media://a.wav")},
        answers={
            200: Answer(MediaDeleted, description="It is gone, with its receipt."),
            202: Answer(MediaDeletionPending, description="An unfinished job still needs it."),
        },
        refuses=(NotFound, PurgeIncomplete),
        writes=True,
    ),
)
async def delete_media(
    request: Request[Any, Any, Any],
    principal: NamedDependency[Principal],
    use: NamedDependency[UseCases],
) -> Response[bytes]:
    """Delete a recording before its deadline.

    Its URL is unknown at once. Its bytes go at once too, unless an unfinished job is bound to
    them: then they go after it.
    """
    url = request.query_params.get("url")
    if url is None:
        raise InvalidRequest([Fault("url", "Required")])
    done = await use.media.delete(principal.project_id, url)
    if done.receipt is None:
        version = done.version
        pending = MediaDeletionPending(version.artefact_id.hex(), iso(version.due_at))
        return answer(pending, 202)
    return answer(MediaDeleted(receipt_view(done.receipt)))


@get(
    "/v1/media/receipts",
    scope=Scope.MEDIA_READ,
    contract=Contract(tag=Tag.MEDIA, query=described(Paging), answers={200: Answer(MediaReceipts)}),
)
async def list_media_receipts(
    request: Request[Any, Any, Any],
    principal: NamedDependency[Principal],
    use: NamedDependency[UseCases],
) -> Response[bytes]:
    """Receipts of media that was deleted, the newest first."""
    asked = read_query(request, Paging)
    page = await use.media.receipts(principal.project_id, limit=asked.limit, cursor=asked.cursor)
    views = [receipt_view(receipt) for receipt in page.receipts]
    return answer(MediaReceipts(views, page.next_cursor))


def media_view(version: MediaVersion) -> MediaView:
    return MediaView(
        url_of(version),
        version.artefact_id.hex(),
        version.size,
        iso(version.created_at),
        iso(version.due_at),
    )
