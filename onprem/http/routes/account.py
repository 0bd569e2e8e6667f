"""`GET /v1/test`: does this key work?"""

from litestar import Response, get
from litestar.di import NamedDependency

from onprem.http.bodies import answer
from onprem.services.keys import Principal


@get("/v1/test")
async def test_key(principal: NamedDependency[Principal]) -> Response[bytes]:
    return answer({"status": "OK", "message": "Test connection successful"})
