"""Counts every answer and how long it took, by the template of its route."""

import time

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from onprem.http.openapi.document import public_path
from onprem.services.counters import Counters

NO_ROUTE = "none"
"""What answers requests for paths that we do not have; the path itself may say anything."""
NO_STATUS = "none"
"""The client went away before there was one."""

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Measured:
    """The application, watched from outside: refusals and faults are answers too."""

    def __init__(self, app: ASGIApp, counters: Counters) -> None:
        self._app = app
        self._counters = counters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), NO_STATUS

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            template = scope.get("path_template")
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._counters.answered(
                public_path(template) if template else NO_ROUTE,
                method,
                status,
                time.perf_counter() - began,
            )
