"""Purging from afar: the plan first, then the same plan carried out."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, post
from litestar.di import NamedDependency
from msgspec import Meta

from onprem.core.purge import EVERYTHING, What, selection
from onprem.core.requests import Body
from onprem.errors import InvalidRequest, NotFound, PurgeFailed, PurgeRefused
from onprem.faults import Fault
from onprem.http.bodies import answer, read_body, valid
from onprem.http.openapi.contract import Answer, Contract, Tag
from onprem.http.purge_views import PurgeView, plan_view, purge_view
from onprem.services.keys import Principal, Scope
from onprem.services.use_cases import UseCases

RUNS_SECONDS = 5.0
"""How long an answer waits for canceled runs to free their recordings."""


class PurgeRequest(Body, frozen=True):
    """`POST /v1/admin/purge`: exactly one of the first five."""

    due: Annotated[bool, Meta(description="What every sweep deletes.")] = False
    job: Annotated[str | None, Meta(description="All of one job, by its id.")] = None
    media: Annotated[
        str | None,
        Meta(description="One upload, as `PROJECT/KEY`; jobs that need it are canceled."),
    ] = None
    project: Annotated[
        str | None, Meta(description="A whole project, by name or id, for good.")
    ] = None
    everything: Annotated[
        bool, Meta(description="All content of all projects; projects and keys stay.")
    ] = msgspec.field(default=False, name="all")
    dry_run: Annotated[
        bool, Meta(description="Only say what would be deleted. To purge, say `false`.")
    ] = True
    confirm: Annotated[
        str | None, Meta(description=f"With `all`: `{EVERYTHING}`, word by word.")
    ] = None


@post(
    "/v1/admin/purge",
    scope=Scope.ADMIN,
    status_code=200,
    contract=Contract(
        tag=Tag.ADMINISTRATION,
        body=PurgeRequest,
        example={"job": "1a20dbb3-2c96-482d-b5ae-d7770645c786", "dryRun": True},
        answers={
            200: Answer(PurgeView, description="The plan; or the plan, and that it is done."),
            202: Answer(
                PurgeView, description="Done, but for recordings that runs still hold in memory."
            ),
        },
        refuses=(NotFound, PurgeFailed),
    ),
)
async def purge(
    request: Request[Any, Any, Any],
    principal: NamedDependency[Principal],
    use: NamedDependency[UseCases],
) -> Response[bytes]:
    """Delete now, for good: a job, an upload, a project, everything, or what is due.

    Unless `dryRun` is `false` nothing is deleted, and the answer is the plan. A field that is not
    known is a 400. Where something resists the answer is a 500 `purge_failed`; what was deleted
    stays deleted, and the same request goes on from there.
    """
    body = await read_body(request, PurgeRequest)
    if body.unknown:
        raise InvalidRequest([Fault(name, "There is no such field") for name in body.unknown])
    wanted = valid(body)
    chosen = selection(
        due=wanted.due,
        job=wanted.job,
        media=wanted.media,
        project=wanted.project,
        everything=wanted.everything,
    )
    if wanted.dry_run:
        return answer(PurgeView(dry_run=True, plan=plan_view(await use.purge.plan(chosen))))
    if chosen.what is What.ALL and wanted.confirm != EVERYTHING:
        raise PurgeRefused([Fault("confirm", f'Expected "{EVERYTHING}"')])
    plan = await use.purge.plan(chosen)
    done = await use.purge.carry_out(plan, principal.actor, wait=RUNS_SECONDS)
    if done.failures:
        done.check()
    return answer(purge_view(done), 202 if done.stopping else 200)
