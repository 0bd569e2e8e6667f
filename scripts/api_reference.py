"""The reference of the HTTP API in Markdown, made from the routes as `/openapi.json` is."""

import json
from collections.abc import Iterator
from typing import Any

from onprem.http.app import ROUTES
from onprem.http.openapi.reference import Reference
from onprem.http.openapi.schemas import Schema, in_words

Operation = dict[str, Any]


def api_reference() -> str:
    """Every operation by chapter, then every schema."""
    document = Reference(ROUTES, "http://127.0.0.1:8400").document
    parts: list[str] = []
    for tag in document["tags"]:
        parts.append(f"## {tag['name']}")
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                if operation["tags"] == [tag["name"]]:
                    parts += _operation(method.upper(), path, operation)
    parts.append("## Schemas")
    for name, schema in sorted(document["components"]["schemas"].items()):
        parts += _schema(name, schema)
    return "\n\n".join(parts)


def field_table(schema: Schema) -> str:
    """The properties of an object; a star marks what is always there."""
    required = schema.get("required", [])
    lines = ["| field | type | default | |", "|---|---|---|---|"]
    for name, field in schema["properties"].items():
        star = " *" if name in required else ""
        lines.append(
            f"| `{name}`{star} | {in_words(field)} | {_default(field)} |"
            f" {field.get('description', '')} |"
        )
    return "\n".join(lines)


def _default(schema: Schema) -> str:
    default = schema.get("default")
    return "" if default in (None, {}, []) else f"`{json.dumps(default)}`"


def _operation(method: str, path: str, operation: Operation) -> Iterator[str]:
    yield f"### `{method} {path}`"
    yield operation["summary"]
    if "description" in operation:
        yield operation["description"]
    for needed in operation.get("security", []):
        yield f"Scope `{needed['key'][0]}`." if needed["key"] else "Any key."
    inputs = [each for each in operation["parameters"] if each["in"] != "path"]
    if inputs:
        lines = ["| parameter | in | type | |", "|---|---|---|---|"]
        lines += [
            f"| `{each['name']}`{' *' if each['required'] else ''} | {each['in']} |"
            f" {in_words(each['schema'])} | {each.get('description', '')} |"
            for each in inputs
        ]
        yield "\n".join(lines)
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        yield f"Body: {_content(media, content)}"
        if "example" in content:
            yield f"```json\n{json.dumps(content['example'], indent=1, ensure_ascii=False)}\n```"
    lines = ["| status | |", "|---|---|"]
    for status, answer in operation["responses"].items():
        told = [_content(media, each) for media, each in answer.get("content", {}).items()]
        shown = f" {', '.join(told)}" if int(status) < 400 and told else ""
        lines.append(f"| {status} | {answer['description'].replace('|', chr(92) + '|')}{shown} |")
    yield "\n".join(lines)


def _content(media: str, content: dict[str, Any]) -> str:
    kind = f", {in_words(content['schema'])}" if "schema" in content else ""
    return f"`{media}`{kind}"


def _schema(name: str, schema: Schema) -> Iterator[str]:
    yield f"### {name}"
    if "description" in schema:
        yield schema["description"]
    yield field_table(schema) if "properties" in schema else in_words(schema)
