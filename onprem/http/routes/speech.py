"""The OpenAI audio API: `/v1/audio/transcriptions` and `/v1/audio/translations`."""

from typing import Annotated, Any

from litestar import Request, Response, post
from litestar.di import NamedDependency
from msgspec import Meta

from onprem.core.openai.answers import DiarizedTranscription, Transcription, VerboseTranscription
from onprem.core.openai.requests import TranscriptionRequest, TranslationRequest
from onprem.errors import (
    FormStalled,
    MediaTooLarge,
    NoRoom,
    OperationDisabled,
    ProjectQueueFull,
    QueueFull,
)
from onprem.http.openai.errors import OpenAIErrorResponse
from onprem.http.openai.speech import answer_speech
from onprem.http.openapi.contract import Answer, Contract, Tag
from onprem.services.keys import Principal, Scope
from onprem.services.use_cases import UseCases

_File = Annotated[str, Meta(description="The recording.", extra_json_schema={"format": "binary"})]
_REFUSES = (
    FormStalled,
    MediaTooLarge,
    NoRoom,
    OperationDisabled,
    ProjectQueueFull,
    QueueFull,
)


class TranscriptionForm(TranscriptionRequest, frozen=True, kw_only=True):
    """The fields of the form, and the file."""

    file: _File


class TranslationForm(TranslationRequest, frozen=True, kw_only=True):
    """The fields of the form, and the file."""

    file: _File


@post(
    "/v1/audio/transcriptions",
    scope=Scope.JOBS_WRITE,
    status_code=200,
    contract=Contract(
        tag=Tag.OPENAI,
        body=TranscriptionForm,
        body_media="multipart/form-data",
        error_body=OpenAIErrorResponse,
        answers={
            200: Answer(
                Transcription | VerboseTranscription | DiarizedTranscription,
                description="The text, in the format asked for.",
            )
        },
        refuses=_REFUSES,
        writes=True,
    ),
)
async def transcribe(
    request: Request[Any, Any, Any],
    principal: NamedDependency[Principal],
    use: NamedDependency[UseCases],
) -> Response[Any]:
    """What a recording says, in its own language, while the client waits.

    Nothing of it is left when the answer has been sent: the recording is in memory only.
    """
    return await answer_speech(request, principal, use, TranscriptionRequest)


@post(
    "/v1/audio/translations",
    scope=Scope.JOBS_WRITE,
    status_code=200,
    contract=Contract(
        tag=Tag.OPENAI,
        body=TranslationForm,
        body_media="multipart/form-data",
        error_body=OpenAIErrorResponse,
        answers={
            200: Answer(Transcription | VerboseTranscription, description="The text, in English.")
        },
        refuses=_REFUSES,
        writes=True,
    ),
)
async def translate(
    request: Request[Any, Any, Any],
    principal: NamedDependency[Principal],
    use: NamedDependency[UseCases],
) -> Response[Any]:
    """What a recording says, in English, while the client waits."""
    return await answer_speech(request, principal, use, TranslationRequest)
