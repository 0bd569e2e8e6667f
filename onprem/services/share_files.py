"""The files that somebody gives to be shared: read and checked, with all their faults at once."""

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from onprem.core.consent import Consent, read_consent
from onprem.core.expected import (
    ExpectedFormat,
    Spoken,
    Unusable,
    expected_in,
    output_in,
    spoken_in,
)
from onprem.faults import Fault
from onprem.store.bundle import recipient

_CHUNK = 1 << 20


class ShareRequest(msgspec.Struct, frozen=True, kw_only=True):
    """As the command line has it. `audio` and `output` where the record has them no more."""

    job_id: str
    expected: Path
    consent: Path
    recipients: list[str]
    to: Path
    audio: Path | None = None
    output: Path | None = None


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What was given, checked. `expected_name` is the file's name in the bundle."""

    consent: Consent
    consent_sha256: str
    expected: bytes
    expected_name: str
    spoken: Spoken
    output: bytes | None
    recipients: dict[str, Any]


def read_given(
    request: ShareRequest, *, now: float, kept: Sequence[Path]
) -> tuple[Given | None, list[Fault]]:
    """None exactly when there are faults. Blocks.

    Args:
        now: seconds since the epoch.
        kept: folders in which nobody but the store writes.
    """
    faults: list[Fault] = []
    consent = _consent(request, now, faults)
    expected = _expected(request, faults)
    output = _output(request, faults)
    recipients = _recipients(request, faults)
    _check_audio(request, faults)
    _check_target(request, kept, faults)
    if faults or consent is None or expected is None:
        return None, faults
    return Given(
        consent=consent[0],
        consent_sha256=consent[1],
        expected=expected[0],
        expected_name=f"expected.{_format(request.expected)}",
        spoken=expected[1],
        output=output,
        recipients=recipients,
    ), []


def chunks_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _consent(request: ShareRequest, now: float, faults: list[Fault]) -> tuple[Consent, str] | None:
    document = _read("--consent", request.consent, faults)
    if document is None:
        return None
    read = read_consent(document, job_id=request.job_id, now=now)
    if isinstance(read, Consent):
        return read, hashlib.sha256(document).hexdigest()
    faults += [Fault(f"--consent {field}".rstrip(), message) for field, message in read]
    return None


def _format(path: Path) -> ExpectedFormat | None:
    suffix = path.suffix.removeprefix(".").lower()
    return ExpectedFormat(suffix) if suffix in set(ExpectedFormat) else None


def _expected(request: ShareRequest, faults: list[Fault]) -> tuple[bytes, Spoken] | None:
    format = _format(request.expected)
    if format is None:
        faults.append(Fault("--expected", "Its name must end in .rttm, .json or .txt."))
        return None
    document = _read("--expected", request.expected, faults)
    if document is None:
        return None
    try:
        return document, expected_in(document, format)
    except Unusable as unusable:
        faults.append(Fault("--expected", str(unusable)))
        return None


def _output(request: ShareRequest, faults: list[Fault]) -> bytes | None:
    document = None if request.output is None else _read("--output", request.output, faults)
    if document is None:
        return None
    try:
        output = output_in(document)
        spoken_in(output)
    except Unusable as unusable:
        faults.append(Fault("--output", str(unusable)))
        return None
    return output


def _recipients(request: ShareRequest, faults: list[Fault]) -> dict[str, Any]:
    """The keys by their text; one that was given twice is there once."""
    keys = {}
    for text in request.recipients:
        try:
            key = recipient(text)
            keys[str(key)] = key
        except ValueError as error:
            faults.append(Fault("--recipient", str(error)))
    return keys


def _check_audio(request: ShareRequest, faults: list[Fault]) -> None:
    if request.audio is not None and _size("--audio", request.audio, faults) == 0:
        faults.append(Fault("--audio", "It is empty."))


def _check_target(request: ShareRequest, kept: Sequence[Path], faults: list[Fault]) -> None:
    if os.path.lexists(request.to):
        faults.append(Fault("--to", "It exists already, and is not overwritten."))
        return
    folder = request.to.parent
    if not folder.is_dir():
        faults.append(Fault("--to", "Its folder does not exist."))
    elif any(folder.resolve().is_relative_to(each.resolve()) for each in kept):
        faults.append(Fault("--to", "It lies in the data directory, where nothing else may be."))


def _read(option: str, path: Path, faults: list[Fault]) -> bytes | None:
    if _size(option, path, faults) is None:
        return None
    return path.read_bytes()


def _size(option: str, path: Path, faults: list[Fault]) -> int | None:
    """Bytes of a file that can be read; None: there is a fault."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):  # to open a pipe would wait for its other end
            faults.append(Fault(option, "It is no file."))
            return None
        path.open("rb").close()
    except OSError as error:
        faults.append(Fault(option, f"It cannot be read: {error.strerror}."))
        return None
    return found.st_size
