"""What a route takes and answers, stated where the route is: `contract=Contract(...)`."""

import enum
from collections.abc import Mapping
from typing import Any

import msgspec

from onprem.errors import OnpremError


class Tag(enum.StrEnum):
    """Chapters of the API reference, in their order."""

    CONTRACT = "pyannoteAI API"
    JOBS = "Jobs"
    MEDIA = "Media"
    DELIVERIES = "Deliveries"
    OPENAI = "OpenAI audio API"
    ADMINISTRATION = "Administration"
    HEALTH = "Health"
    REFERENCE = "API reference"


class Answer(msgspec.Struct, frozen=True):
    """One success: a JSON body of the type `body`, or another `media` type, or no body at all."""

    body: Any = None
    media: str | None = None
    description: str = "Done"
    example: Any = None


class Query(msgspec.Struct, frozen=True):
    """One query parameter; `kind` is an annotated type, `example` a value that makes sense."""

    kind: Any
    description: str
    required: bool = False
    example: Any = None


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """All that a client must know of one route.

    `answers`: by status. `refuses`: errors beyond those that follow from the route's key, scope
    and body. `body` is what it takes, as JSON unless `body_media` says otherwise, `upload` the
    media type of a raw one. `error_body`: what errors look like where they do not follow the
    pyannoteAI contract. `headers`: request headers by name, with what they do. `writes`: whether
    it needs room on the disk, so that it can be refused for a full one: what shows content does,
    for that is noted.
    """

    tag: Tag
    answers: Mapping[int, Answer]
    refuses: tuple[type[OnpremError], ...] = ()
    body: type[msgspec.Struct] | None = None
    body_media: str = "application/json"
    error_body: type[msgspec.Struct] | None = None
    upload: str | None = None
    example: Any = None
    query: Mapping[str, Query] = {}
    headers: Mapping[str, str] = {}
    writes: bool = False
