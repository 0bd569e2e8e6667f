"""The reference of one server: its OpenAPI document and its page, made when first asked for."""

from functools import cached_property
from typing import Any

from litestar.handlers import HTTPRouteHandler

from onprem.http.openapi.document import encoded, openapi_document
from onprem.http.openapi.page import reference_page


class Reference:
    """`base` is where clients reach the server."""

    def __init__(self, routes: list[HTTPRouteHandler], base: str) -> None:
        self._routes = routes
        self._base = base

    @cached_property
    def document(self) -> dict[str, Any]:
        return openapi_document(self._routes, self._base)

    @cached_property
    def json(self) -> bytes:
        return encoded(self.document)

    @cached_property
    def page(self) -> str:
        return reference_page(self.document)
