"""Evidence packs for auditors: signed, and without content."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
from litestar import Request, get
from litestar.di import NamedDependency
from litestar.types import ASGIApp
from msgspec import Meta

from onprem.core.evidence_interval import Interval, read_interval
from onprem.errors import InvalidRequest, LedgerMoved
from onprem.http.openapi.contract import Answer, Contract, Tag
from onprem.http.queries import described, read_query
from onprem.http.streams import streamed
from onprem.services.keys import Principal, Scope
from onprem.services.use_cases import UseCases

_TAR = "application/x-tar"
_SECONDS = 3600.0


class EvidenceQuery(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Parameters of `GET /v1/admin/evidence`."""

    since: Annotated[
        str, Meta(description="From this day on, or from this moment: `2026-10-01` (UTC).")
    ] = msgspec.field(name="from")
    until: Annotated[
        str | None, Meta(description="To the end of this day, or to this moment; none: now.")
    ] = msgspec.field(name="to", default=None)
    access_log: Annotated[bool, Meta(description="Whether to put in who read which id, when.")] = (
        False
    )


@get(
    "/v1/admin/evidence",
    scope=Scope.ADMIN,
    contract=Contract(
        tag=Tag.ADMINISTRATION,
        query=described(EvidenceQuery),
        answers={200: Answer(media=_TAR, description="The pack.")},
        refuses=(LedgerMoved,),
        writes=True,
    ),
)
async def create_evidence(
    request: Request[Any, Any, Any],
    principal: NamedDependency[Principal],
    use: NamedDependency[UseCases],
) -> ASGIApp:
    """Policy, inventory, ledger, canaries and the state of this node, in one signed file.

    `onprem evidence verify` checks it anywhere, by the public key alone. The ledger notes that it
    was made. What breaks off is shorter than its `Content-Length`, and does not verify.
    """
    asked = read_query(request, EvidenceQuery)
    interval = read_interval(asked.since, asked.until, now=use.evidence.now())
    if not isinstance(interval, Interval):
        raise InvalidRequest(interval)
    pack = await use.evidence.pack(interval, access_log=asked.access_log, actor=principal.actor)
    headers = {
        "Content-Type": _TAR,
        "Content-Length": str(pack.size),
        "Content-Disposition": 'attachment; filename="evidence.tar"',
    }
    return streamed(_joined(pack.pages), 200, headers, _SECONDS)


async def _joined(pages: AsyncIterator[list[bytes]]) -> AsyncIterator[bytes]:
    async for page in pages:
        yield b"".join(page)
