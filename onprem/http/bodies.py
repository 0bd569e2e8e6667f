"""JSON bodies: read with a limit, converted field by field, answered without a second encoding."""

from typing import Any, TypeVar

import msgspec
from litestar import Request, Response
from litestar.exceptions import InternalServerException

from onprem.core.fieldwise import Conversion, convert_fields
from onprem.errors import BodyTooLarge, InvalidRequest
from onprem.faults import Fault

BODY_LIMIT = 2 * 1024 * 1024
"""Bytes. The largest body of the contract is 50 voiceprints of 20,000 characters."""

S = TypeVar("S", bound=msgspec.Struct)


async def read_body(request: Request[Any, Any, Any], into: type[S]) -> Conversion[S]:
    """The body as an `into`, or all its faults.

    Raises:
        InvalidRequest: it is no JSON object.
        BodyTooLarge: it is longer than `BODY_LIMIT`.
    """
    return decoded(await read_raw(request), into)


def decoded(raw: bytes, into: type[S]) -> Conversion[S]:
    """Raises InvalidRequest: it is no JSON object."""
    return convert_fields(into, fields_of(raw))


async def read_fields(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """The body's fields, of whatever kind they are. Raises as `read_body`."""
    return fields_of(await read_raw(request))


def fields_of(raw: bytes) -> dict[str, Any]:
    """Raises InvalidRequest: it is no JSON object."""
    try:
        return msgspec.json.decode(raw, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise InvalidRequest([Fault("body", "Expected a JSON object")]) from None


async def read_raw(request: Request[Any, Any, Any]) -> bytes:
    """The bytes of the body. Raises as `read_body`."""
    raw = bytearray()
    try:
        async for piece in request.stream():
            raw += piece
            if len(raw) > BODY_LIMIT:
                raise BodyTooLarge(limit=BODY_LIMIT)
    except InternalServerException:  # litestar's way to say that the client went away
        raise InvalidRequest([Fault("body", "Broke off before its end")]) from None
    return bytes(raw)


def valid(body: Conversion[S]) -> S:
    """Raises InvalidRequest with the faults, if there are any."""
    if body.value is None:
        raise InvalidRequest(body.faults)
    return body.value


def answer(body: Any, status: int = 200) -> Response[bytes]:
    return Response(msgspec.json.encode(body), status_code=status, media_type="application/json")
