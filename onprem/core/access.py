"""Who read what content: an entry of the access log."""

import enum

import msgspec

from onprem.core.receipt import ArtefactKind


class Means(enum.StrEnum):
    """How content left the server."""

    API = "api"
    WEBHOOK = "webhook"
    DELIVER = "deliver"
    """An upload of the output to where its job said."""
    OPENAI = "openai"
    """The answer of a call of the OpenAI audio API."""
    SHARE = "share"


class Result(enum.StrEnum):
    READ = "read"
    """It was handed out."""
    EXPIRED = "expired"
    """It was asked for after its deadline or deletion, and not handed out."""


class Access(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One access. `who` as the actor of an act; ids only."""

    who: str
    what: ArtefactKind
    means: Means
    project_id: str
    artefact_id: str | None = None
    result: Result = Result.READ
