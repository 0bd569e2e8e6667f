"""Outputs as files in several formats, and the corrections of them."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from onprem.core.edits import Edits
from onprem.core.edits_request import EditsRequest
from onprem.core.formats.kind import OutputFormat
from onprem.errors import (
    FormatUnavailable,
    NotFound,
    OutputAbsent,
    OutputExpired,
    OutputNotReady,
    PurgeIncomplete,
)
from onprem.http.bodies import answer, read_body
from onprem.http.openapi.contract import Answer, Contract, Tag
from onprem.http.queries import described, read_query
from onprem.http.views import EditsView, edits_view
from onprem.services.keys import Principal, Scope
from onprem.services.use_cases import UseCases

_REFUSES = (NotFound, OutputNotReady, OutputAbsent, OutputExpired)
_MEDIA = "application/json, text/plain, application/x-subrip, text/vtt"
_EXAMPLE = {
    "speakers": {"SPEAKER_00": "Anna", "SPEAKER_01": "Ben"},
    "turnLevelTranscription": [{"index": 2, "start": 7.31, "text": "It was Smyth, not Smith."}],
}


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of `GET /v1/jobs/{jobId}/output`."""

    format: Annotated[OutputFormat, Meta(description="What kind of file.")] = OutputFormat.JSON
    edits: Annotated[
        bool, Meta(description="With the edits of the output; `false`: as the job made it.")
    ] = True


@get(
    "/v1/jobs/{job_id:str}/output",
    scope=Scope.JOBS_READ,
    contract=Contract(
        tag=Tag.JOBS,
        query=described(Shown),
        answers={200: Answer(media=_MEDIA, description="The file.")},
        refuses=(*_REFUSES, FormatUnavailable),
        writes=True,
    ),
)
async def get_output(
    request: Request[Any, Any, Any],
    job_id: FromPath[str],
    principal: NamedDependency[Principal],
    use: NamedDependency[UseCases],
) -> Response[bytes]:
    """The output as a file: JSON, RTTM, SRT, WebVTT or text.

    Each answer is an entry of the access log.
    """
    shown = read_query(request, Shown)
    file = await use.outputs.rendered(principal, job_id, shown.format, edited=shown.edits)
    # The job exists, so its id is one that we made, and fits into a header.
    name = f'attachment; filename="{job_id}.{shown.format}"'
    headers = {"Content-Type": file.content_type, "Content-Disposition": name}
    return Response(file.body, headers=headers)


@get(
    "/v1/jobs/{job_id:str}/edits",
    scope=Scope.JOBS_READ,
    contract=Contract(
        tag=Tag.JOBS,
        answers={200: Answer(EditsView, description="Empty where nothing was corrected.")},
        refuses=_REFUSES,
        writes=True,
    ),
)
async def get_edits(
    job_id: FromPath[str], principal: NamedDependency[Principal], use: NamedDependency[UseCases]
) -> Response[bytes]:
    """What was corrected in the output.

    Each answer with corrections is an entry of the access log.
    """
    return answer(edits_view(await use.outputs.edits(principal, job_id)))


@put(
    "/v1/jobs/{job_id:str}/edits",
    scope=Scope.JOBS_WRITE,
    contract=Contract(
        tag=Tag.JOBS,
        body=Edits,
        example=_EXAMPLE,
        answers={200: Answer(EditsView, description="They stand.")},
        refuses=(*_REFUSES, PurgeIncomplete),
        writes=True,
    ),
)
async def replace_edits(
    request: Request[Any, Any, Any],
    job_id: FromPath[str],
    principal: NamedDependency[Principal],
    use: NamedDependency[UseCases],
) -> Response[bytes]:
    """Correct the output: all edits at once, instead of those before."""
    body = await read_body(request, EditsRequest)
    return answer(edits_view(await use.outputs.replace_edits(principal, job_id, body)))


@delete(
    "/v1/jobs/{job_id:str}/edits",
    scope=Scope.JOBS_WRITE,
    contract=Contract(
        tag=Tag.JOBS,
        answers={204: Answer(description="The output is again what it was.")},
        refuses=(*_REFUSES, PurgeIncomplete),
        writes=True,
    ),
)
async def drop_edits(
    job_id: FromPath[str], principal: NamedDependency[Principal], use: NamedDependency[UseCases]
) -> None:
    """Drop all edits of the output."""
    await use.outputs.drop_edits(principal, job_id)
