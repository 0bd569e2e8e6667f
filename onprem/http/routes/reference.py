"""`/docs` and `/openapi.json`: the API reference, made from the routes themselves."""

from litestar import Response, get
from litestar.di import NamedDependency

from onprem.http.openapi.contract import Answer, Contract, Tag
from onprem.http.openapi.page import CONTENT_SECURITY_POLICY
from onprem.http.openapi.reference import Reference


@get(
    "/openapi.json",
    contract=Contract(
        tag=Tag.REFERENCE,
        answers={200: Answer(media="application/json", description="The document.")},
    ),
)
async def openapi(reference: NamedDependency[Reference]) -> Response[bytes]:
    """This API as an OpenAPI 3.1 document."""
    return Response(reference.json, media_type="application/json")


@get(
    "/docs",
    contract=Contract(
        tag=Tag.REFERENCE, answers={200: Answer(media="text/html", description="The page.")}
    ),
)
async def reference_page(reference: NamedDependency[Reference]) -> Response[str]:
    """This API as a page for people, which needs nothing from elsewhere."""
    policy = {"Content-Security-Policy": CONTENT_SECURITY_POLICY}
    return Response(reference.page, media_type="text/html", headers=policy)
