"""The OpenAPI document as one page for people: no script, nothing from elsewhere."""

import html
import json
from base64 import b64encode
from hashlib import sha256
from typing import Any

from onprem.http.openapi.schemas import Schema, in_words
from onprem.http.openapi.style import STYLE

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    f"style-src 'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}'"
)


def reference_page(document: dict[str, Any]) -> str:
    """A complete HTML page; operations fold, and every one has an anchor of its own."""
    chapters: dict[str, list[str]] = {tag["name"]: [] for tag in document["tags"]}
    links: dict[str, list[str]] = {name: [] for name in chapters}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            tag = operation["tags"][0]
            chapters[tag].append(_operation(method.upper(), path, operation))
            links[tag].append(
                f'<li><a href="#{operation["operationId"]}">{method.upper()} {_text(path)}</a></li>'
            )
    info = document["info"]
    contents = "".join(
        f"<li>{_text(name)}<ul>{''.join(items)}</ul></li>" for name, items in links.items() if items
    )
    body = "".join(
        f"<section><h2>{_text(name)}</h2>{''.join(items)}</section>"
        for name, items in chapters.items()
        if items
    )
    components = "".join(
        f'<section id="schema-{_text(name)}"><h3>{_text(name)}</h3>{_schema_text(schema)}</section>'
        for name, schema in sorted(document["components"]["schemas"].items())
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>onprem API reference</title><style>{STYLE}</style></head><body>"
        f"<header><h1>onprem API <small>{_text(info['version'])}</small></h1>"
        f"<p>{_text(info['summary'])} Base address <code>{_text(document['servers'][0]['url'])}"
        '</code>. The same as <a href="/openapi.json">OpenAPI 3.1</a>.</p></header>'
        f'<nav aria-label="Operations"><ul>{contents}</ul></nav>'
        f"<main>{body}<h2>Schemas</h2>{components}</main></body></html>"
    )


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    parts = [f"<p>{_prose(operation['summary'])}</p>"]
    if "description" in operation:
        parts.append(f"<p>{_prose(operation['description'])}</p>")
    for needed in operation.get("security", []):
        scope = f" with the scope <code>{_text(needed['key'][0])}</code>" if needed["key"] else ""
        parts.append(f"<p>Needs a key{scope}.</p>")
    if operation["parameters"]:
        rows = "".join(
            f"<tr><td><code>{_text(each['name'])}</code></td><td>{each['in']}</td>"
            f"<td>{_kind(each['schema'])}</td><td>{_prose(each.get('description', ''))}</td></tr>"
            for each in operation["parameters"]
        )
        parts.append(f"<h4>Parameters</h4><table>{rows}</table>")
    if "requestBody" in operation:
        parts.append(f"<h4>Body</h4>{_content(operation['requestBody']['content'])}")
    answers = "".join(
        f"<tr><td><code>{status}</code></td><td>{_prose(answer['description'])}"
        f"{_content(answer.get('content', {}))}</td></tr>"
        for status, answer in operation["responses"].items()
    )
    parts.append(f"<h4>Answers</h4><table>{answers}</table>")
    return (
        f'<details id="{operation["operationId"]}" open><summary><b>{method}</b> '
        f"<code>{_text(path)}</code></summary>{''.join(parts)}</details>"
    )


def _content(content: dict[str, Any]) -> str:
    parts = []
    for media, described in content.items():
        kind = f": {_kind(described['schema'])}" if "schema" in described else ""
        parts.append(f"<p><code>{_text(media)}</code>{kind}</p>")
        if "example" in described:
            example = json.dumps(described["example"], indent=2, ensure_ascii=False)
            parts.append(f"<pre>{_text(example)}</pre>")
    return "".join(parts)


def _kind(schema: Schema) -> str:
    """A schema in a few words; what it refers to is a link."""
    if "$ref" in schema:
        name = _text(in_words(schema))
        return f'<a href="#schema-{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_kind(each) for each in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return _prose(in_words(schema))


def _schema_text(schema: Schema) -> str:
    text = f"<p>{_prose(schema['description'])}</p>" if "description" in schema else ""
    required = schema.get("required", [])
    if "properties" not in schema:
        return text + f"<p>{_kind(schema)}</p>"
    rows = "".join(
        f"<tr><td><code>{_text(name)}</code>{' *' if name in required else ''}</td>"
        f"<td>{_kind(each)}</td><td>{_prose(each.get('description', ''))}</td></tr>"
        for name, each in schema["properties"].items()
    )
    return text + f"<table>{rows}</table>"


def _prose(text: str) -> str:
    """Text in which `such words` are code."""
    words = _text(text).split("`")
    return "".join(f"<code>{w}</code>" if i % 2 else w for i, w in enumerate(words))


def _text(text: str) -> str:
    return html.escape(text)
