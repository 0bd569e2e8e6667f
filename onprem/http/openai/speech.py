"""Answering a client that waits for what its recording says: as a whole, or as it is heard."""

from collections.abc import AsyncIterator
from typing import Any, TypeVar

import msgspec
from litestar import Request, Response

from onprem.core.formats.render import Rendered
from onprem.core.job import JobStatus
from onprem.core.openai.answers import TextDelta, TextDone, diarized_segments
from onprem.core.openai.render import render
from onprem.core.openai.requests import (
    ResponseFormat,
    SpeechRequest,
    TranscriptionRequest,
    from_form,
)
from onprem.core.speech import Word
from onprem.http.openai.errors import (
    CANCELED_STATUS,
    OpenAIErrorResponse,
    answer_of,
    failure_status,
    openai_error,
)
from onprem.http.openai.form import boundary_of, read_form
from onprem.http.openai.waiting import ClientGone, Told, unless_gone
from onprem.services.keys import Principal
from onprem.services.speech_to_text import Conversation, Ended
from onprem.services.use_cases import UseCases
from onprem.threads import in_thread

R = TypeVar("R", bound=SpeechRequest)

_NOBODY_LISTENS = 499


async def answer_speech(
    request: Request[Any, Any, Any], principal: Principal, use: UseCases, into: type[R]
) -> Response[Any]:
    """Receive the form as an `into`, run its job, and answer as it asks.

    Raises:
        InvalidRequest, MediaTooLarge, BodyTooLarge, FormStalled, NoRoom: before there is a job.
        OperationDisabled, QueueFull, StorageFull, StoreBusy: there is no job.
    """
    boundary = boundary_of(request)
    async with use.speech_to_text.receiving(request.content_length) as recording:
        room = min(use.speech_to_text.file_limit, recording.lease.size)
        pairs = await read_form(request, boundary, recording.copy, room=room)
        body = from_form(into, pairs)
        streams = isinstance(body.value, TranscriptionRequest) and body.value.stream
        talk = await use.speech_to_text.begin(principal, body, recording, streams=streams)
    assert body.value is not None
    told = _Telling(use, talk, body.value)
    if "idempotency-key" in request.headers:
        told.warn("Idempotency-Key has no effect.")
    try:
        return await unless_gone(request, told.streamed() if streams else told.whole())
    except ClientGone:
        told.hang_up(False)
        return Response(b"", status_code=_NOBODY_LISTENS)
    except BaseException:
        told.hang_up(False)
        raise


class _Telling:
    """One answer. Whoever gets it as a response must send it: its end is that of the job."""

    def __init__(self, use: UseCases, talk: Conversation, asked: SpeechRequest) -> None:
        self._speech = use.speech_to_text
        self._talk = talk
        self._warnings = [talk.warning] if talk.warning else []
        self._asked = asked
        self._heard = 0

    def warn(self, of: str) -> None:
        self._warnings.append(of)

    def hang_up(self, delivered: bool) -> None:
        self._speech.hang_up(self._talk, delivered=delivered)

    async def whole(self) -> Response[Any]:
        ended = await self._speech.ended(self._talk)
        if ended.output is None:
            return self._refused(ended)
        body = await in_thread(self._render, ended)
        self._warn_of(ended)
        return self._told(_only(body.body), body.content_type, len(body.body))

    def _warn_of(self, ended: Ended) -> None:
        """What the recording gave rise to; a stream that has begun can tell it no more."""
        if ended.output is not None and ended.output.warning:
            self.warn(ended.output.warning)

    def _render(self, ended: Ended) -> Rendered:
        assert ended.output is not None
        return render(self._asked, ended.output, ended.seconds)

    async def streamed(self) -> Response[Any]:
        """Begins with the first words: what fails before that has its own status."""
        pieces = self._speech.words(self._talk)
        async for words in pieces:
            if words:
                return self._told(self._events(words, pieces), "text/event-stream")
        ended = await self._speech.ended(self._talk)
        if ended.output is None:
            return self._refused(ended)
        self._warn_of(ended)
        return self._told(self._events([], pieces), "text/event-stream")

    async def _events(
        self, first: list[Word], later: AsyncIterator[list[Word]]
    ) -> AsyncIterator[bytes]:
        if first:
            yield self._delta(first)
        async for words in later:
            yield self._delta(words) if words else b": still listening\n\n"
        ended = await self._speech.ended(self._talk)
        if ended.output is None:
            yield _event(OpenAIErrorResponse(_error(ended)[0]))
            return
        if self._asked.response_format is ResponseFormat.DIARIZED_JSON:
            for segment in diarized_segments(ended.output):
                yield _event(segment)
        yield _event(TextDone(ended.output.text))

    def _delta(self, words: list[Word]) -> bytes:
        """All deltas, one after the other, are the text."""
        text = "".join(word.text for word in words)
        if not self._heard:
            text = text.lstrip()
        self._heard += len(words)
        return _event(TextDelta(text))

    def _refused(self, ended: Ended) -> Response[Any]:
        error, status = _error(ended)
        answer = answer_of(error, status)
        return self._told(_only(answer.content), "application/json", status=status)

    def _told(
        self,
        pieces: AsyncIterator[bytes],
        media_type: str,
        length: int | None = None,
        status: int = 200,
    ) -> Told:
        headers = {"Content-Type": media_type, "X-Onprem-Job-Id": self._talk.job_id}
        if self._warnings:
            headers["X-Onprem-Warning"] = _header(" ".join(self._warnings))
        if length is not None:
            headers["Content-Length"] = str(length)
        return Told(pieces, self.hang_up, headers=headers, status_code=status)


async def _only(body: bytes) -> AsyncIterator[bytes]:
    yield body


def _event(body: msgspec.Struct) -> bytes:
    return b"data: " + msgspec.json.encode(body) + b"\n\n"


def _error(ended: Ended) -> tuple[Any, int]:
    if ended.status is JobStatus.CANCELED:
        message = "The job was canceled before it had ended."
        return openai_error(CANCELED_STATUS, message, "canceled"), CANCELED_STATUS
    status = failure_status(ended.error_code)
    param = "file" if status in (400, 413) else None
    return openai_error(status, ended.error, ended.error_code, param), status


def _header(text: str) -> str:
    """Names of fields come from the client: no line break and no control character may pass."""
    return "".join(mark if " " <= mark <= "~" else "?" for mark in text)[:1000]
