"""JSON schemas of the structs that the API takes and gives."""

from collections.abc import Iterable
from typing import Any

import msgspec

from onprem.core.requests import Body

Schema = dict[str, Any]

_REFERENCE = "#/components/schemas/{name}"


def schemas(kinds: Iterable[Any]) -> tuple[list[Schema], dict[str, Schema]]:
    """A schema for each of `kinds`, and the components that they refer to."""
    wanted = list(kinds)
    found, components = msgspec.json.schema_components(
        wanted, schema_hook=_of_our_own, ref_template=_REFERENCE
    )
    requests = {kind.__name__ for kind in _below(Body)}
    for name, component in components.items():
        component.pop("title", None)
        if name in requests:
            _let_nulls_in(component)
        else:
            _drop_nulls(component)
    return list(found), components


def _of_our_own(kind: type) -> Schema:
    raise NotImplementedError(kind)


def _below(kind: type) -> set[type]:
    found = {kind}
    children: list[type] = type.__subclasses__(kind)
    for child in children:
        found |= _below(child)
    return found


def _let_nulls_in(component: Schema) -> None:
    """In a request null means absent, whatever the field is; a set may name a member twice."""
    required = component.get("required", [])
    properties = component.get("properties", {})
    for name, schema in properties.items():
        kinds = schema.get("anyOf", [])
        unique = [kind.pop("uniqueItems", False) for kind in (schema, *kinds)]
        if any(unique) and "default" in schema:
            schema["default"] = sorted(schema["default"])  # a set has no order
        if name not in required and {"type": "null"} not in kinds:
            default = schema.pop("default", None)
            description = schema.pop("description", None)
            properties[name] = {"anyOf": [schema, {"type": "null"}]}
            if default is not None:
                properties[name]["default"] = msgspec.json.decode(msgspec.json.encode(default))
            if description is not None:
                properties[name]["description"] = description
        elif schema.get("default", 0) is None:
            del schema["default"]


def _drop_nulls(component: Schema) -> None:
    """In an answer a field that has nothing to say is absent, unless it is required."""
    required = component.get("required", [])
    for name, schema in component.get("properties", {}).items():
        if name in required:
            continue
        schema.pop("default", None)
        if {"type": "null"} in schema.get("anyOf", []):
            kinds = [kind for kind in schema.pop("anyOf") if kind != {"type": "null"}]
            schema.update(kinds[0] if len(kinds) == 1 else {"anyOf": kinds})


def in_words(schema: Schema) -> str:
    """A schema in a few words: `integer (from 1, to 100)`."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        kinds = [kind for kind in schema["anyOf"] if kind != {"type": "null"}]
        return " or ".join(in_words(kind) for kind in kinds)
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {in_words(schema.get('items', {}))}"
    if schema.get("type") == "object" and "additionalProperties" in schema:
        return f"map to {in_words(schema['additionalProperties'])}"
    kind = str(schema.get("type", "anything"))
    bounds = [f"{word} {schema[key]}" for key, word in _BOUNDS.items() if key in schema]
    return f"{kind} ({', '.join(bounds)})" if bounds else kind


_BOUNDS = {
    "minimum": "from",
    "maximum": "to",
    "minLength": "at least",
    "maxLength": "at most",
    "minItems": "at least",
    "maxItems": "at most",
}
