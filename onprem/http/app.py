"""The litestar application: routes, dependencies, and the one map of errors."""

from litestar import Litestar
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp, ExceptionHandlersMap, Message, Scope

from onprem.errors import OnpremError
from onprem.http.addresses import Addresses
from onprem.http.allow import option_handlers
from onprem.http.auth import principal
from onprem.http.errors import broken, framework_refusal, refuse
from onprem.http.measured import Measured
from onprem.http.openapi.reference import Reference
from onprem.http.rate_limits import rate_limit_headers
from onprem.http.routes import (
    account,
    cancellation,
    deliveries,
    diarize,
    events,
    health,
    identify,
    jobs,
    live,
    media,
    media_library,
    metrics,
    outputs,
    reference,
    speech,
    speech_models,
    voiceprint,
)
from onprem.http.routes.administration import (
    doctor,
    evidence,
    keys,
    ledger,
    node,
    projects,
    purge,
    webhook_secrets,
)
from onprem.services.use_cases import UseCases

ROUTES = [
    account.test_key,
    media.declare_upload,
    media.receive_upload,
    media.declare_download,
    media.send_download,
    media_library.list_media,
    media_library.delete_media,
    media_library.list_media_receipts,
    diarize.diarize,
    identify.identify,
    voiceprint.voiceprint,
    jobs.list_jobs,
    jobs.list_jobs_by_number,
    jobs.get_job,
    jobs.get_receipts,
    events.follow_job,
    cancellation.cancel_job,
    cancellation.delete_job,
    outputs.get_output,
    outputs.get_edits,
    outputs.replace_edits,
    outputs.drop_edits,
    deliveries.list_deliveries,
    deliveries.acknowledge,
    speech.transcribe,
    speech.translate,
    speech_models.list_models,
    speech_models.get_model,
    live.open_stream,
    live.get_stream,
    projects.list_projects,
    projects.create_project,
    projects.get_project,
    projects.change_project,
    keys.list_keys,
    keys.create_key,
    keys.revoke_key,
    webhook_secrets.reveal_webhook_secrets,
    webhook_secrets.rotate_webhook_secret,
    purge.purge,
    node.list_installed_models,
    node.show_usage,
    node.show_settings,
    ledger.show_ledger,
    ledger.verify_ledger,
    ledger.export_ledger,
    ledger.list_accesses,
    evidence.create_evidence,
    doctor.examine_node,
    health.live,
    health.ready,
    health.compliance,
    metrics.metrics,
    reference.openapi,
    reference.reference_page,
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


def build_app(use: UseCases, addresses: Addresses) -> ASGIApp:
    """The whole API over the given use cases."""

    def provide_use() -> UseCases:
        return use

    def provide_addresses() -> Addresses:
        return addresses

    about = Reference(ROUTES, addresses.base)

    def provide_reference() -> Reference:
        return about

    app = Litestar(
        route_handlers=[*option_handlers(ROUTES), *ROUTES],
        dependencies={
            "use": Provide(provide_use, sync_to_thread=False),
            "addresses": Provide(provide_addresses, sync_to_thread=False),
            "reference": Provide(provide_reference, sync_to_thread=False),
            "principal": Provide(principal),
        },
        before_request=addresses.check_host,
        before_send=[_add_headers],
        exception_handlers=_ERRORS,
        request_max_body_size=None,  # ours are exact, and answer with codes of the contract
        openapi_config=None,
        logging_config=None,
    )
    return Measured(app, use.counters)


async def _add_headers(message: Message, scope: Scope) -> None:
    """Every answer has them, those of refusals too."""
    if message["type"] == "http.response.start":
        given = message.get("headers", [])
        message["headers"] = [*given, *_HEADERS, *rate_limit_headers(scope)]
