"""Speakers whom a request names: a name each, and a few seconds of the voice as a `data:` URL."""

import binascii
from base64 import b64decode

import msgspec

from onprem.faults import Fault


class KnownSpeaker(msgspec.Struct, frozen=True):
    """`recording` in any format that an upload can have."""

    name: str
    recording: bytes


def known_speakers(
    names: list[str], references: list[str]
) -> tuple[list[KnownSpeaker], list[Fault]]:
    """The speakers, or what is wrong with their references; both lists are equally long."""
    found, faults = [], []
    for number, (name, reference) in enumerate(zip(names, references, strict=True)):
        recording = _recording(reference)
        if recording is None:
            field = f"known_speaker_references[{number}]"
            faults.append(Fault(field, "Expected a base64 data URL of audio"))
        else:
            found.append(KnownSpeaker(name, recording))
    return found, faults


def _recording(reference: str) -> bytes | None:
    head, comma, content = reference.partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        return None
    try:
        return b64decode(content, validate=True) or None
    except (binascii.Error, ValueError):
        return None
