"""The ledger of deletions and acts, and the access log: ids and times, never content."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.types import ASGIApp
from msgspec import Meta

from onprem.core.access import Means, Result
from onprem.core.chain import Entry
from onprem.core.checkpoint import ChainTip
from onprem.core.ledger import EntryKind
from onprem.core.receipt import ArtefactKind
from onprem.core.verification_report import Verification
from onprem.errors import InvalidRequest, LedgerMoved, NotFound, StoreBusy
from onprem.faults import Fault
from onprem.http.bodies import answer
from onprem.http.openapi.contract import Answer, Contract, Query, Tag
from onprem.http.queries import described, read_query
from onprem.http.streams import streamed
from onprem.http.views import iso
from onprem.services.keys import Principal, Scope
from onprem.services.ledger_reading import Accessed, LedgerState
from onprem.services.use_cases import UseCases
from onprem.store.checkpoints import StoredCheckpoint

_LEDGER = "/v1/admin/ledger"
_LINES = "application/x-ndjson"
_EXPORT_SECONDS = 3600.0


class LedgerPaging(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Parameters of `GET /v1/admin/ledger`."""

    limit: Annotated[int, Meta(ge=1, le=1000, description="How many at most.")] = 100
    cursor: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="The `nextCursor` of the page before; none: the newest."),
    ] = None
    kind: Annotated[EntryKind | None, Meta(description="Only entries of this kind.")] = None
    job: Annotated[str | None, Meta(description="Only entries of this job.")] = None


class EntryView(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """An entry. `at` is retention time, `wall` what the machine's clock showed."""

    seq: int
    at: str
    wall: str
    boot_id: str
    synchronised: bool
    kind: str
    body: msgspec.Raw
    digest: str
    job_id: str | None = None


class CheckpointView(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A signed checkpoint; `exportedAt`: when it left the host."""

    number: int
    at: str
    document: msgspec.Raw
    exported_at: str | None = None


class LedgerView(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """`publicKey` is base64; `after` is the last entry that outlived its retention."""

    installation: str
    public_key: bytes
    tip: ChainTip
    after: ChainTip
    entries: list[EntryView]
    last_checkpoint: CheckpointView | None = None
    next_cursor: int | None = None


class AccessView(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One access to content. `who` is `key:ID`, or `user:UID` of the command line."""

    number: int
    at: str
    wall: str
    who: str
    what: ArtefactKind
    means: Means
    result: Result
    project_id: str
    artefact_id: str | None = None


class AccessList(msgspec.Struct, frozen=True):
    accesses: list[AccessView]


class Since(msgspec.Struct, frozen=True, kw_only=True):
    """Parameter of `GET /v1/admin/ledger/export`."""

    since: Annotated[
        Annotated[float, Meta(ge=0, le=1e11)] | None,
        Meta(description="Leave out entries older than this moment, in seconds (Unix)."),
    ] = None


@get(
    _LEDGER,
    scope=Scope.ADMIN,
    contract=Contract(
        tag=Tag.ADMINISTRATION,
        query=described(LedgerPaging),
        answers={200: Answer(LedgerView)},
    ),
)
async def show_ledger(
    request: Request[Any, Any, Any],
    principal: NamedDependency[Principal],
    use: NamedDependency[UseCases],
) -> Response[bytes]:
    """Entries of the ledger, the newest first, and where it stands."""
    asked = read_query(request, LedgerPaging)
    page = await use.ledger.page(
        limit=asked.limit, before=asked.cursor, kind=asked.kind, job_id=asked.job
    )
    return answer(_ledger_view(await use.ledger.state(use.signer), page.entries, page.next_before))


@get(
    f"{_LEDGER}/verification",
    scope=Scope.ADMIN,
    contract=Contract(
        tag=Tag.ADMINISTRATION,
        answers={200: Answer(Verification)},
        refuses=(LedgerMoved, StoreBusy),
    ),
)
async def verify_ledger(
    principal: NamedDependency[Principal], use: NamedDependency[UseCases]
) -> Response[bytes]:
    """Verify both chains and all checkpoints, as they are stored now.

    It reads all of them: minutes where there are millions. `intact` is the answer.
    """
    return answer(await use.ledger_export.verification())


@get(
    f"{_LEDGER}/export",
    scope=Scope.ADMIN,
    contract=Contract(
        tag=Tag.ADMINISTRATION,
        query=described(Since),
        answers={200: Answer(media=_LINES, description="Signed JSON lines.")},
        refuses=(StoreBusy,),
    ),
)
async def export_ledger(
    request: Request[Any, Any, Any],
    principal: NamedDependency[Principal],
    use: NamedDependency[UseCases],
) -> ASGIApp:
    """Ledger, access log and checkpoints, for `onprem ledger verify` and auditors.

    An export that breaks off has no end, and does not verify.
    """
    since = read_query(request, Since).since
    headers = {
        "Content-Type": _LINES,
        "Content-Disposition": 'attachment; filename="ledger.jsonl"',
    }
    pages = use.ledger_export.pages(since)
    head = await anext(pages)  # what is refused is refused before an answer begins
    return streamed(_joined(head, pages), 200, headers, _EXPORT_SECONDS)


@get(
    "/v1/admin/access-log",
    scope=Scope.ADMIN,
    contract=Contract(
        tag=Tag.ADMINISTRATION,
        query={"job": Query(str, "Its id.", required=True)},
        answers={200: Answer(AccessList)},
        refuses=(NotFound, InvalidRequest),
    ),
)
async def list_accesses(
    request: Request[Any, Any, Any],
    principal: NamedDependency[Principal],
    use: NamedDependency[UseCases],
) -> Response[bytes]:
    """Who read a job's output, edits and media, by which key and when."""
    job = request.query_params.get("job")
    if job is None:
        raise InvalidRequest([Fault("job", "Required")])
    return answer(AccessList([_access_view(each) for each in await use.ledger.accesses(job)]))


async def _joined(head: list[bytes], pages: AsyncIterator[list[bytes]]) -> AsyncIterator[bytes]:
    yield b"".join(head)
    async for page in pages:
        yield b"".join(page)


def _ledger_view(state: LedgerState, entries: list[Entry], next_before: int | None) -> LedgerView:
    last = state.last_checkpoint
    return LedgerView(
        installation=state.installation,
        public_key=state.public_key,
        tip=state.tip.said,
        after=state.floor.said,
        entries=[_entry_view(entry) for entry in entries],
        last_checkpoint=None if last is None else _checkpoint_view(last),
        next_cursor=next_before,
    )


def _entry_view(entry: Entry) -> EntryView:
    return EntryView(
        seq=entry.seq,
        at=iso(entry.stamp.at),
        wall=iso(entry.stamp.wall),
        boot_id=entry.stamp.boot_id,
        synchronised=entry.stamp.synchronised,
        kind=entry.kind,
        body=msgspec.Raw(entry.body.encode()),
        digest=entry.digest.hex(),
        job_id=entry.job_id,
    )


def _checkpoint_view(checkpoint: StoredCheckpoint) -> CheckpointView:
    exported_at = checkpoint.exported_at
    return CheckpointView(
        number=checkpoint.number,
        at=iso(checkpoint.at),
        document=msgspec.Raw(checkpoint.document.encode()),
        exported_at=None if exported_at is None else iso(exported_at),
    )


def _access_view(each: Accessed) -> AccessView:
    access = each.access
    return AccessView(
        number=each.number,
        at=iso(each.at),
        wall=iso(each.wall),
        who=access.who,
        what=access.what,
        means=access.means,
        result=access.result,
        project_id=access.project_id,
        artefact_id=access.artefact_id,
    )
