"""Every refusal that the documentation names can be had, and looks as the documentation says.

The table is the OpenAPI document's: each pair of an operation and a status of 400 or more has a
scenario here, and no scenario is for a pair that is not documented.
"""

from collections.abc import Mapping
from typing import Any

import jsonschema
import pytest
from litestar.handlers import HTTPRouteHandler

from onprem.core.job import JobKind
from onprem.http.app import ROUTES
from onprem.http.errors import STATUS
from onprem.http.openapi.document import contract_of, refusals
from onprem.http.openapi.reference import Reference
from tests.support import scenarios
from tests.support.engine import FakeEngine
from tests.support.scenarios import Scenario, World
from tests.support.server import Running
from tests.support.voices import install_starter_manifests

DOCUMENT = Reference(ROUTES, "http://127.0.0.1").document
OPERATIONS: dict[str, dict[str, Any]] = {
    operation["operationId"]: operation
    for operations in DOCUMENT["paths"].values()
    for operation in operations.values()
}

ALWAYS: Mapping[int, Scenario] = {
    400: scenarios.with_a_list,
    401: scenarios.without_key,
    403: scenarios.without_scope,
    404: scenarios.of_an_unknown_job,
    413: scenarios.with_too_much,
    421: scenarios.from_elsewhere,
    429: scenarios.too_often,
    503: scenarios.while_busy,
    507: scenarios.on_a_full_disk,
}
"""Where a route says nothing else."""

OWN: Mapping[str, Mapping[int, Scenario]] = {
    "receive_upload": {
        403: scenarios.at("PUT", "/v1/media/upload/nothing"),
        409: scenarios.through_a_used_link,
        413: scenarios.larger_than_the_quota,
    },
    "send_download": {
        403: scenarios.at("GET", "/v1/media/download/nothing"),
        410: scenarios.of_deleted_media,
        416: scenarios.beyond_the_end,
    },
    "list_media": {400: scenarios.asking(limit="0")},
    "list_media_receipts": {400: scenarios.asking(limit="0")},
    "delete_media": {
        400: scenarios.asking(url="calls/monday.wav"),
        404: scenarios.asking(url="media://nothing"),
    },
    "list_jobs": {400: scenarios.asking(limit="101")},
    "list_jobs_by_number": {400: scenarios.asking(skip="-1")},
    "get_output": {
        400: scenarios.asking(format="docx"),
        409: scenarios.of_a_waiting_job,
        410: scenarios.of_a_deleted_output,
    },
    "cancel_job": {409: scenarios.as_it_is},
    **{
        name: {409: scenarios.of_a_waiting_job, 410: scenarios.of_a_deleted_output}
        for name in ("get_edits", "replace_edits", "drop_edits")
    },
    "acknowledge": {409: scenarios.of_a_waiting_job},
    **{
        name: {409: scenarios.with_a_key_for_something_else}
        for name in ("diarize", "identify", "voiceprint")
    },
    **{
        name: {
            400: scenarios.without_a_model,
            408: scenarios.of_a_stalled_form,
            413: scenarios.of_a_file_that_is_too_large,
        }
        for name in ("transcribe", "translate")
    },
    "get_model": {404: scenarios.at("GET", "/v1/models/nothing")},
    "open_stream": {403: scenarios.as_it_is},
    "get_stream": {403: scenarios.as_it_is},
    "get_project": {404: scenarios.at("GET", "/v1/admin/projects/nobody")},
    "change_project": {404: scenarios.at("PATCH", "/v1/admin/projects/nobody", region="eu")},
    "create_key": {404: scenarios.telling(name="app", project="nobody")},
    "revoke_key": {404: scenarios.as_it_is},
    "reveal_webhook_secrets": {
        400: scenarios.at("GET", "/v1/admin/webhook-secrets"),
        404: scenarios.asking(project="nobody"),
    },
    "rotate_webhook_secret": {404: scenarios.telling(project="nobody")},
    **{
        name: {
            401: scenarios.through_a_proxy_without_key,
            403: scenarios.through_a_proxy_without_admin,
        }
        for name in ("compliance", "metrics")
    },
    "create_evidence": {400: scenarios.asking(to="soon")},
    "purge": {
        404: scenarios.telling(job="1a20dbb3-2c96-482d-b5ae-d7770645c786", dryRun=True),
        500: scenarios.of_a_record_that_resists,
    },
    "show_usage": {400: scenarios.asking(by="colour")},
    "show_ledger": {400: scenarios.asking(limit="0")},
    "export_ledger": {400: scenarios.asking(since="yesterday")},
    "list_accesses": {400: scenarios.at("GET", "/v1/admin/access-log")},
}


def documented(name: str) -> list[int]:
    return [int(status) for status in OPERATIONS[name]["responses"] if int(status) >= 400]


def refused(route: HTTPRouteHandler) -> list[int]:
    """503 of `/healthz/ready` is an answer."""
    return [
        status
        for status in documented(route.fn.__name__)
        if status not in contract_of(route).answers
    ]


@pytest.fixture
async def world(server: Running, engine: FakeEngine) -> World:
    install_starter_manifests(server.settings.models_dir)
    world = World(server, engine)
    await world.furnish()
    return world


def test_every_operation_has_a_request() -> None:
    assert scenarios.REQUESTS.keys() == OPERATIONS.keys()


def test_no_scenario_is_for_what_is_not_documented() -> None:
    assert not [
        (name, status)
        for name, own in OWN.items()
        for status in own
        if status not in documented(name)
    ]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.fn.__name__)
async def test_every_refusal(world: World, route: HTTPRouteHandler) -> None:
    name, job = route.fn.__name__, world.job
    # What uses something up, or moves the clock, comes last.
    for status in sorted(refused(route), key=lambda status: (status in (409, 410, 429), status)):
        scenario = OWN.get(name, {}).get(status) or ALWAYS[status]
        answer = await scenario(world, name)
        assert answer.status_code == status, (status, answer.text)
        check_body(name, status, answer.json())
        codes = {kind.code for kind in refusals(route) if STATUS[kind] == status}
        body = answer.json()
        code = body.get("code") or body.get("error", {}).get("code") or "invalid_request"
        assert code in codes, (status, code)
        world.job = job
        await world.set_project(requestsPerMinute=None, mediaBytes=None)


def check_body(name: str, status: int, body: object) -> None:
    """As the document's schema for it says."""
    content = OPERATIONS[name]["responses"][str(status)]["content"]["application/json"]
    schema = content["schema"] | {"components": DOCUMENT["components"]}
    jsonschema.validate(body, schema, cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize("kind", list(JobKind))
async def test_a_kind_that_is_switched_off(world: World, kind: JobKind) -> None:
    name = kind.value
    await world.set_project(operations=[other for other in JobKind if other is not kind])
    answer = await world.send(name)
    assert answer.status_code == 403
    check_body(name, 403, answer.json())
    assert "operation_disabled" in answer.text


@pytest.mark.parametrize("name", ["diarize", "identify", "voiceprint", "transcribe", "translate"])
async def test_a_full_queue(world: World, name: str) -> None:
    async with world.held():
        await world.set_project(queuedJobs=1)
        await world.server.diarize(url=scenarios.MEDIA)
        answer = await world.send(name)
    assert answer.status_code == 429
    check_body(name, 429, answer.json())
    assert int(answer.headers["retry-after"]) > 0
    assert "queue_full" in answer.text
