"""Live streams: refused, as the hosted service refuses a team without access."""

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from onprem.errors import StreamingDisabled
from onprem.http.openapi.contract import Contract, Tag
from onprem.services.keys import Principal

_REFUSED = Contract(tag=Tag.CONTRACT, answers={}, refuses=(StreamingDisabled,))


@post("/v1/live", contract=_REFUSED)
async def open_stream(principal: NamedDependency[Principal]) -> Response[bytes]:
    """Open a live stream: not in this version."""
    raise StreamingDisabled()


@get("/v1/live/{stream_id:str}", contract=_REFUSED)
async def get_stream(
    stream_id: FromPath[str], principal: NamedDependency[Principal]
) -> Response[bytes]:
    """The state of a live stream: not in this version."""
    raise StreamingDisabled()
