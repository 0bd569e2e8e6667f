"""The OpenAPI 3.1 document, put together from the routes and their contracts."""

import inspect
import re
from collections.abc import Iterator
from types import UnionType
from typing import Any, get_args

import msgspec
from litestar.handlers import HTTPRouteHandler

from onprem import __version__
from onprem.errors import (
    BodyTooLarge,
    HostNotAllowed,
    InvalidRequest,
    OnpremError,
    RateLimited,
    ScopeMissing,
    StorageFull,
    StoreBusy,
    Unauthenticated,
)
from onprem.http.errors import STATUS, ApiError, ValidationErrorResponse
from onprem.http.openapi.contract import Answer, Contract, Tag
from onprem.http.openapi.schemas import Schema, schemas

Operation = dict[str, Any]


def openapi_document(routes: list[HTTPRouteHandler], base: str) -> dict[str, Any]:
    """The document for a server that clients reach at `base`."""
    types = _Types(routes)
    paths: dict[str, dict[str, Operation]] = {}
    for route in routes:
        for path in sorted(route.paths):
            operations = paths.setdefault(public_path(path), {})
            for method in sorted(set(route.http_methods) - {"HEAD", "OPTIONS"}):
                operations[method.lower()] = _operation(route, path, types)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "onprem",
            "version": __version__,
            "summary": "Diarization, identification, voiceprints and transcription in your walls.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": base}],
        "tags": [{"name": tag.value} for tag in Tag],
        "paths": paths,
        "components": {
            "schemas": types.components,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def public_path(path: str) -> str:
    """`/v1/jobs/{job_id:str}`, or without `:str`, as documents write it: `/v1/jobs/{jobId}`."""
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: "{" + _camel(found[1]) + "}", path)


def refusals(route: HTTPRouteHandler) -> list[type[OnpremError]]:
    """Every error that a client of this route can meet and that is worth writing code for."""
    contract = contract_of(route)
    found: list[type[OnpremError]] = [HostNotAllowed]
    if asks_for_key(route):
        found += [Unauthenticated, RateLimited]
    if route.opt.get("scope") is not None:
        found.append(ScopeMissing)
    if contract.body is not None:
        found += [InvalidRequest, BodyTooLarge]
    elif contract.query:
        found.append(InvalidRequest)
    if contract.writes:
        found += [StoreBusy, StorageFull]
    return found + [kind for kind in contract.refuses if kind not in found]


def contract_of(route: HTTPRouteHandler) -> Contract:
    contract: Contract = route.opt["contract"]
    return contract


def asks_for_key(route: HTTPRouteHandler) -> bool:
    return "principal" in inspect.signature(route.fn).parameters


class _Types:
    """The schema of each type that a contract names."""

    def __init__(self, routes: list[HTTPRouteHandler]) -> None:
        kinds: list[Any] = [ApiError, ValidationErrorResponse]
        for route in routes:
            contract = contract_of(route)
            kinds += [contract.body, contract.error_body]
            kinds += [answer.body for answer in contract.answers.values()]
            kinds += [query.kind for query in contract.query.values()]
        single = [one for kind in kinds if kind is not None for one in _alternatives(kind)]
        found, self.components = schemas(single)
        self._schemas = list(zip(single, found, strict=True))

    def of(self, kind: Any) -> Schema:
        found = [self._of_one(one) for one in _alternatives(kind)]
        return found[0] if len(found) == 1 else {"anyOf": found}

    def _of_one(self, kind: Any) -> Schema:
        return next(schema for known, schema in self._schemas if known is kind)


def _alternatives(kind: Any) -> tuple[Any, ...]:
    """The structs of a union: msgspec takes several in one type only where they are tagged."""
    return get_args(kind) if isinstance(kind, UnionType) else (kind,)


def _operation(route: HTTPRouteHandler, path: str, types: _Types) -> Operation:
    contract = contract_of(route)
    summary, _, description = inspect.cleandoc(route.fn.__doc__ or "").partition("\n\n")
    operation: Operation = {
        "operationId": route.fn.__name__,
        "tags": [contract.tag.value],
        "summary": " ".join(summary.split()),
        "parameters": list(_parameters(contract, path, types)),
        "responses": {**_answers(contract, types), **_refusals(route, types)},
    }
    if description:
        operation["description"] = description
    if asks_for_key(route):
        scope = route.opt.get("scope")
        operation["security"] = [{"key": [scope.value] if scope else []}]
    if contract.body is not None:
        content: dict[str, Any] = {"schema": types.of(contract.body)}
        if contract.example is not None:
            content["example"] = contract.example
        operation["requestBody"] = {
            "required": True,
            "content": {contract.body_media: content},
        }
    elif contract.upload is not None:
        operation["requestBody"] = {"required": True, "content": {contract.upload: {}}}
    return operation


def _parameters(contract: Contract, path: str, types: _Types) -> Iterator[dict[str, Any]]:
    for name in re.findall(r"\{(\w+):\w+\}", path):
        yield {
            "name": _camel(name),
            "in": "path",
            "required": True,
            "schema": {"type": "string", "minLength": 1, "pattern": "^[^/]+$"},
        }
    for name, query in contract.query.items():
        parameter = {
            "name": name,
            "in": "query",
            "required": query.required,
            "description": query.description,
            "schema": types.of(query.kind),
        }
        if query.example is not None:
            parameter["example"] = query.example
        yield parameter
    for name, description in contract.headers.items():
        yield {
            "name": name,
            "in": "header",
            "required": False,
            "description": description,
            "schema": {"type": "string"},
        }


def _answers(contract: Contract, types: _Types) -> dict[str, Any]:
    return {str(status): _answer(answer, types) for status, answer in contract.answers.items()}


def _answer(answer: Answer, types: _Types) -> dict[str, Any]:
    described: dict[str, Any] = {"description": answer.description}
    if answer.body is not None:
        content: dict[str, Any] = {"schema": types.of(answer.body)}
        if answer.example is not None:
            content["example"] = answer.example
        described["content"] = {"application/json": content}
    elif answer.media is not None:
        described["content"] = {media: {} for media in answer.media.split(", ")}
    return described


def _refusals(route: HTTPRouteHandler, types: _Types) -> dict[str, Any]:
    by_status: dict[int, list[type[OnpremError]]] = {}
    for kind in refusals(route):
        by_status.setdefault(STATUS[kind], []).append(kind)
    return {
        str(status): _refusal(contract_of(route), by_status[status], types)
        for status in sorted(by_status)
    }


def _refusal(contract: Contract, kinds: list[type[OnpremError]], types: _Types) -> dict[str, Any]:
    bodies: list[Any] = []
    for kind in kinds:
        body = contract.error_body or (
            ValidationErrorResponse if kind is InvalidRequest else ApiError
        )
        if body not in bodies:
            bodies.append(body)
    found = [types.of(body) for body in bodies]
    return {
        "description": " ".join(f"`{kind.code}`: {_told(kind)}" for kind in kinds),
        "content": {
            "application/json": {"schema": found[0] if len(found) == 1 else {"anyOf": found}}
        },
    }


def _told(kind: type[OnpremError]) -> str:
    """Its message, with the facts that it will state as words in capitals."""
    return re.sub(r"\{(\w+)[^}]*\}", lambda fact: fact[1].upper(), kind.message)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def encoded(document: dict[str, Any]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document), indent=2)
