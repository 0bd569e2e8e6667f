"""The litestar application: routes, dependencies, and the one map of errors."""

from litestar import Litestar
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap, Message, Scope

from onprem.errors import OnpremError
from onprem.http.addresses import Addresses
from onprem.http.auth import principal
from onprem.http.errors import broken, framework_refusal, refuse
from onprem.http.routes import account, diarize, health, jobs, live, media
from onprem.services.use_cases import UseCases

ROUTES = [
    account.test_key,
    media.declare_upload,
    media.receive_upload,
    diarize.diarize,
    jobs.get_job,
    jobs.get_receipts,
    live.open_stream,
    live.get_stream,
    health.live,
    health.ready,
]

_ERRORS: ExceptionHandlersMap = {
    OnpremError: refuse,
    HTTPException: framework_refusal,
    Exception: broken,
}

_HEADERS = [
    # Answers hold content: no cache keeps a copy that outlives its deadline.
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
]


def build_app(use: UseCases, addresses: Addresses) -> Litestar:
    """The whole API over the given use cases."""

    def provide_use() -> UseCases:
        return use

    def provide_addresses() -> Addresses:
        return addresses

    return Litestar(
        route_handlers=ROUTES,
        dependencies={
            "use": Provide(provide_use, sync_to_thread=False),
            "addresses": Provide(provide_addresses, sync_to_thread=False),
            "principal": Provide(principal),
        },
        before_request=addresses.check_host,
        before_send=[_add_headers],
        exception_handlers=_ERRORS,
        request_max_body_size=None,  # ours are exact, and answer with codes of the contract
        openapi_config=None,
        logging_config=None,
    )


async def _add_headers(message: Message, _: Scope) -> None:
    """Every answer has them, those of refusals too."""
    if message["type"] == "http.response.start":
        message["headers"] = [*message.get("headers", []), *_HEADERS]
