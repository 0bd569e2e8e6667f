"""`GET /v1/test`: does this key work?"""

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency

from onprem.http.bodies import answer
from onprem.http.openapi.contract import Answer, Contract, Tag
from onprem.services.keys import Principal


class KeyWorks(msgspec.Struct, frozen=True):
    """The contract's answer to a key that works."""

    status: str = "OK"
    message: str = "Test connection successful"


@get(
    "/v1/test",
    contract=Contract(tag=Tag.CONTRACT, answers={200: Answer(KeyWorks, description="It works.")}),
)
async def test_key(principal: NamedDependency[Principal]) -> Response[bytes]:
    """Whether this key works."""
    return answer(KeyWorks())
