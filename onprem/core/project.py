"""What an operator sets for a project: where its jobs run, what they may do, how much of it."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from onprem.core.fieldwise import convert_fields
from onprem.core.job import JobKind
from onprem.core.regions import ANY_REGION, REGION_NAME
from onprem.core.requests import Body
from onprem.core.retention import MEDIA_CEILING, OUTPUT_CEILING
from onprem.faults import Fault


class ProjectSettings(Body, frozen=True):
    """Read at each submission: a change touches later submissions only.

    The quotas are absent where only the server's own limits count.
    """

    region: Annotated[
        str, Meta(description="Where its jobs run: `any`, `eu`, or the name of a region.")
    ] = ANY_REGION
    operations: Annotated[
        frozenset[JobKind], Meta(description="Kinds of jobs that are allowed.")
    ] = frozenset(JobKind)
    consent_required: Annotated[
        bool, Meta(description="Whether a voiceprint needs a `consentRef`.")
    ] = False
    media_bytes: Annotated[
        Annotated[int, Meta(ge=0, le=2**60)] | None,
        Meta(description="Bytes that its uploads may hold together."),
    ] = None
    queued_jobs: Annotated[
        Annotated[int, Meta(ge=0, le=2**31)] | None,
        Meta(description="Jobs that wait or run, at most."),
    ] = None
    media_retention: Annotated[
        Annotated[int, Meta(ge=1, le=MEDIA_CEILING)] | None,
        Meta(description="Seconds that its uploads live, where that is shorter than elsewhere."),
    ] = None
    output_retention: Annotated[
        Annotated[int, Meta(ge=0, le=OUTPUT_CEILING)] | None,
        Meta(
            description="Seconds that its outputs live, where that is shorter than elsewhere; 0: "
            "until a minute after their delivery."
        ),
    ] = None
    requests_per_minute: Annotated[
        Annotated[int, Meta(ge=1, le=1_000_000)] | None,
        Meta(description="Requests to each endpoint, instead of the server's limits."),
    ] = None


class NewProject(ProjectSettings, frozen=True, kw_only=True):
    """`POST /v1/admin/projects`: the settings stand beside the name."""

    name: Annotated[
        str, Meta(min_length=1, max_length=100, description="One that no other project has.")
    ]


class Changed(msgspec.Struct, frozen=True):
    """`settings` are as they were where there are `faults`."""

    settings: ProjectSettings
    faults: list[Fault]


def differing(before: ProjectSettings, after: ProjectSettings) -> dict[str, Any]:
    """The fields that differ, by the names that they have in JSON, with their values in `after`."""
    return {
        field.encode_name: sorted(value) if isinstance(value, frozenset) else value
        for field in msgspec.structs.fields(ProjectSettings)
        if (value := getattr(after, field.name)) != getattr(before, field.name)
    }


def changed(settings: ProjectSettings, fields: Mapping[str, Any]) -> Changed:
    """The settings with the named fields set anew: null, and only that, brings a default back.

    A field that is not known is a fault: a policy that somebody misspells must not pass for set.
    """
    found = convert_fields(ProjectSettings, fields)
    faults = [*found.faults, *(Fault(name, "There is no such setting") for name in found.unknown)]
    region = found.sound.get("region", ANY_REGION)
    if re.fullmatch(REGION_NAME, region) is None:
        why = "Expected any, eu, or the name of a region: up to 64 letters, digits and . _ -"
        faults.append(Fault("region", why))
    if faults:
        return Changed(settings, faults)
    defaults = {
        field.name: field.default
        for field in msgspec.structs.fields(ProjectSettings)
        if fields.get(field.encode_name, field) is None
    }
    return Changed(msgspec.structs.replace(settings, **found.sound, **defaults), [])
