"""OPTIONS: which methods a path knows. There is no CORS, so it says nothing else."""

from litestar import Response, route
from litestar.handlers import HTTPRouteHandler


def option_handlers(routes: list[HTTPRouteHandler]) -> list[HTTPRouteHandler]:
    """One for each path. litestar's own name the methods of only one of a path's handlers."""
    methods: dict[str, set[str]] = {}
    for handler in routes:
        for path in handler.paths:
            methods.setdefault(path, {"OPTIONS"}).update(handler.http_methods)
    return [_handler(path, sorted(known)) for path, known in methods.items()]


def _handler(path: str, methods: list[str]) -> HTTPRouteHandler:
    allow = {"Allow": ", ".join(methods)}

    @route(path, http_method="OPTIONS", status_code=204)
    async def options() -> Response[None]:
        return Response(None, status_code=204, headers=allow)

    return options
