"""The OpenAPI document and its page: complete, valid, and made of nothing from elsewhere."""

import re

import pytest
from litestar.handlers import HTTPRouteHandler
from openapi_spec_validator import validate

from onprem.core.fieldwise import convert_fields
from onprem.http.app import ROUTES
from onprem.http.errors import STATUS
from onprem.http.openapi.document import contract_of, refusals
from onprem.http.openapi.page import CONTENT_SECURITY_POLICY
from onprem.http.openapi.reference import Reference
from onprem.http.openapi.schemas import in_words, schemas
from onprem.http.openapi.style import STYLE

REFERENCE = Reference(ROUTES, "http://127.0.0.1:8400")


def name(route: HTTPRouteHandler) -> str:
    return str(route.fn.__name__)


def test_the_document_is_valid() -> None:
    validate(REFERENCE.document)


@pytest.mark.parametrize("route", ROUTES, ids=name)
def test_every_route_says_what_it_takes_and_answers(route: HTTPRouteHandler) -> None:
    contract = contract_of(route)
    assert contract.answers or contract.refuses
    assert route.fn.__doc__
    assert not [kind for kind in refusals(route) if kind not in STATUS]


def test_operations_have_names_of_their_own() -> None:
    names = [
        operation["operationId"]
        for operations in REFERENCE.document["paths"].values()
        for operation in operations.values()
    ]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if contract_of(route).body is not None], ids=name
)
def test_example_bodies_are_what_the_route_takes(route: HTTPRouteHandler) -> None:
    contract = contract_of(route)
    assert contract.body is not None
    if contract.body_media != "application/json":
        return
    assert contract.example is not None
    converted = convert_fields(contract.body, contract.example)
    assert (converted.faults, converted.unknown) == ([], [])


def test_the_page_shows_every_operation() -> None:
    page = REFERENCE.page
    for path, operations in REFERENCE.document["paths"].items():
        assert path in page
        for operation in operations.values():
            assert f'<details id="{operation["operationId"]}"' in page


def test_the_page_loads_nothing() -> None:
    assert not re.search(
        r"<(script|img|link|iframe|object)\b|url\(|@import| on\w+=", REFERENCE.page
    )
    assert f"<style>{STYLE}</style>" in REFERENCE.page
    assert "script-src" not in CONTENT_SECURITY_POLICY
    assert "default-src 'none'" in CONTENT_SECURITY_POLICY


def test_every_reference_leads_somewhere() -> None:
    page = REFERENCE.page
    anchors = set(re.findall(r'id="([^"]+)"', page))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= anchors


@pytest.mark.parametrize(
    "schema, words",
    [
        ({"type": "string"}, "string"),
        ({"type": "integer", "minimum": 1, "maximum": 100}, "integer (from 1, to 100)"),
        ({"enum": ["a", "b"]}, "`a`, `b`"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "string"),
        ({"type": "array", "items": {"$ref": "#/components/schemas/Turn"}}, "list of Turn"),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, "map to integer"),
        ({}, "anything"),
    ],
)
def test_a_schema_in_words(schema: dict[str, object], words: str) -> None:
    assert in_words(schema) == words


def test_null_is_welcome_in_a_request_and_never_in_an_answer() -> None:
    from onprem.core.requests import DiarizeRequest
    from onprem.http.views import JobView

    _, components = schemas([DiarizeRequest, JobView])
    asked = components["DiarizeRequest"]["properties"]
    assert all(
        {"type": "null"} in schema["anyOf"] for field, schema in asked.items() if field != "url"
    )
    answered = components["JobView"]["properties"]
    assert not [field for field, schema in answered.items() if "null" in str(schema)]
