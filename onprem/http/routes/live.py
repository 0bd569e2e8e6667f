"""Live streams: refused, as the hosted service refuses a team without access."""

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from onprem.errors import StreamingDisabled
from onprem.services.keys import Principal


@post("/v1/live")
async def open_stream(principal: NamedDependency[Principal]) -> Response[bytes]:
    raise StreamingDisabled()


@get("/v1/live/{stream_id:str}")
async def get_stream(
    stream_id: FromPath[str], principal: NamedDependency[Principal]
) -> Response[bytes]:
    raise StreamingDisabled()
