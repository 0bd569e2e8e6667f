"""Consent: the document without which nothing leaves a record for a bundle.

Somebody who may decide over a recording says who may have it, what for and until when. The
document is JSON with exactly these fields; docs/sharing.md has an example.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from onprem.core.fieldwise import Conversion, convert_fields
from onprem.faults import Fault

Time = Annotated[datetime, Meta(tz=True)]


class Consent(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """It covers the jobs that it names, from `granted_at` until `expires_at`."""

    granted_by: Annotated[str, Meta(description="Who consents, and may: name and function.")]
    granted_to: Annotated[str, Meta(description="Who gets the bundle: name and body.")]
    purpose: Annotated[
        str, Meta(description="What for, within validation and testing: no other use is granted.")
    ]
    jobs: Annotated[
        list[str], Meta(description="Ids of the jobs whose recordings and outputs it covers.")
    ]
    granted_at: Annotated[Time, Meta(description="Since when: a time with its zone.")]
    expires_at: Annotated[
        Time, Meta(description="Until when the recipient may keep the bundle and use it.")
    ]


def read_consent(document: bytes, *, job_id: str, now: float) -> Consent | list[Fault]:
    """The consent if it covers the job at `now` (seconds since the epoch), else all its faults."""
    try:
        raw = msgspec.json.decode(document)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return [Fault("", "It is not JSON.")]
    if not isinstance(raw, dict):
        return [Fault("", "It must be a JSON object.")]
    read = convert_fields(Consent, raw)
    faults = [
        Fault(name, "There is no such field: what it says would be lost.") for name in read.unknown
    ]
    faults += [_readable(fault) for fault in read.faults]
    faults += _unsound(read, job_id, now)
    return faults or _whole(read)


def _whole(read: Conversion[Consent]) -> Consent:
    assert read.value is not None, "without faults there is a value"
    return read.value


def _readable(fault: Fault) -> Fault:
    """People write these documents by hand, and times are what they get wrong."""
    if fault.field.endswith("At") and fault.message != "Required":
        return Fault(fault.field, "It must be a time with its zone, such as 2027-01-31T00:00:00Z.")
    return fault


def _unsound(read: Conversion[Consent], job_id: str, now: float) -> Iterator[Fault]:
    """What is wrong with the fields that could be read."""
    sound: dict[str, Any] = read.sound
    for name in ("granted_by", "granted_to", "purpose"):
        if name in sound and not sound[name].strip():
            yield Fault(_encoded(name), "It must not be blank.")
    if "jobs" in sound and job_id not in sound["jobs"]:
        yield Fault("jobs", f"The consent does not cover the job {job_id}.")
    if "granted_at" in sound and sound["granted_at"].timestamp() > now:
        yield Fault("grantedAt", "The consent does not hold yet.")
    if "expires_at" in sound and sound["expires_at"].timestamp() <= now:
        yield Fault("expiresAt", "The consent has expired.")


def _encoded(name: str) -> str:
    fields = msgspec.structs.fields(Consent)
    return next(field.encode_name for field in fields if field.name == name)
