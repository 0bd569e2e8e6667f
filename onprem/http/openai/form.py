"""multipart/form-data as a stream: the file goes into a worker copy, and never to a disk."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from litestar import Request
from litestar.exceptions import InternalServerException
from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from onprem.errors import BodyTooLarge, FormStalled, InvalidRequest, MediaTooLarge
from onprem.faults import Fault
from onprem.media.pace import Pace, TooSlow
from onprem.media.worker_copy import WorkerCopy

FILE = "file"
MOST_PARTS = 64
TEXT_LIMIT = 16 * 1024 * 1024
"""Bytes of all fields but the file: there is room for four `known_speaker_references`."""
STALL_SECONDS = 30
LEAST_RATE = 50_000
"""Bytes a second: the memory that a form holds is others' while it comes."""

Pairs = list[tuple[str, str]]


def boundary_of(request: Request[Any, Any, Any]) -> str:
    """Raises InvalidRequest where the body is no form."""
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    boundary: str = options.get("boundary", "")
    # What RFC 2046 allows; the parser takes more.
    if kind.lower() != "multipart/form-data" or not 0 < len(boundary) <= 70:
        raise _broken("Expected multipart/form-data with a boundary")
    return boundary


async def read_form(
    request: Request[Any, Any, Any], boundary: str, copy: WorkerCopy, *, room: int
) -> Pairs:
    """Write the file into `copy`, which takes at most `room` bytes, and return the other fields.

    Fields may stand before and after the file.

    Raises:
        InvalidRequest: the form is damaged, breaks off, or has no file, or several.
        MediaTooLarge, BodyTooLarge: the file, or all that is not the file, is too large.
        FormStalled: nothing, or too little, came for STALL_SECONDS.
    """
    form = _Form(copy, room)
    size = 0
    try:
        with PushMultipartParser(boundary, max_segment_count=MOST_PARTS) as parser:
            async for piece in _pieces(request):
                size += len(piece)
                if size > room + TEXT_LIMIT:  # what stands before and after the parts counts, too
                    raise BodyTooLarge(limit=room + TEXT_LIMIT)
                form.take(parser, piece)
    except MultipartError as error:
        raise _broken(f"The form cannot be read: {error.args[0]}") from None
    if not form.has_file:
        raise InvalidRequest([Fault(FILE, "Required")])
    return form.pairs()


class _Form:
    """What has arrived so far."""

    def __init__(self, copy: WorkerCopy, room: int) -> None:
        self._copy = copy
        self._room = room
        self._fields: list[tuple[str, bytearray]] = []
        self._text_bytes = 0
        self._in_file = False
        self.has_file = False

    def take(self, parser: PushMultipartParser, piece: bytes) -> None:
        for event in parser.parse(piece):
            if isinstance(event, MultipartSegment):
                self._begin(event)
            elif event:
                self._add(event)

    def _begin(self, part: MultipartSegment) -> None:
        self._in_file = part.name == FILE
        if not self._in_file:
            self._fields.append((part.name or "", bytearray()))
        elif self.has_file:
            raise InvalidRequest([Fault(FILE, "Expected once")])
        else:
            self.has_file = True

    def _add(self, piece: bytes | bytearray) -> None:
        if self._in_file:
            if self._copy.size + len(piece) > self._room:
                raise MediaTooLarge(limit=self._room)
            self._copy.write(memoryview(piece))
            return
        self._text_bytes += len(piece)
        if self._text_bytes > TEXT_LIMIT:
            raise BodyTooLarge(limit=TEXT_LIMIT)
        self._fields[-1][1].extend(piece)

    def pairs(self) -> Pairs:
        found, faults = [], []
        for name, value in self._fields:
            try:
                found.append((name, value.decode()))
            except UnicodeDecodeError:
                faults.append(Fault(name, "Expected UTF-8"))
        if faults:
            raise InvalidRequest(faults)
        return found


async def _pieces(request: Request[Any, Any, Any]) -> AsyncIterator[bytes]:
    body = request.stream()
    pace = Pace(LEAST_RATE, STALL_SECONDS)
    while True:
        try:
            async with asyncio.timeout(STALL_SECONDS):
                piece = await anext(body, None)
        except TimeoutError:
            raise FormStalled(seconds=STALL_SECONDS) from None
        except InternalServerException:  # litestar's way to say that the client went away
            raise _broken("The form breaks off") from None
        if piece is None:
            return
        yield piece
        try:
            pace.count(len(piece))
        except TooSlow:
            raise FormStalled(seconds=STALL_SECONDS) from None


def _broken(why: str) -> InvalidRequest:
    return InvalidRequest([Fault("body", why)])
