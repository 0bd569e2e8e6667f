"""`/v1/models`: the names that the OpenAI audio API takes for `model`."""

from typing import Literal

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from onprem.errors import NotFound
from onprem.http.bodies import answer
from onprem.http.openai.errors import OpenAIErrorResponse
from onprem.http.openapi.contract import Answer, Contract, Tag
from onprem.services.keys import Principal
from onprem.services.use_cases import UseCases
from onprem.threads import in_thread


class SpeechModel(msgspec.Struct, frozen=True):
    """A name for `model`. When a model was made is not known here: `created` is 0."""

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = "onprem"


class SpeechModels(msgspec.Struct, frozen=True):
    """All of them."""

    data: list[SpeechModel]
    object: Literal["list"] = "list"


@get(
    "/v1/models",
    contract=Contract(
        tag=Tag.OPENAI,
        answers={200: Answer(SpeechModels, description="By name.")},
        error_body=OpenAIErrorResponse,
    ),
)
async def list_models(
    principal: NamedDependency[Principal], use: NamedDependency[UseCases]
) -> Response[bytes]:
    """Transcription models of this server, their aliases, and OpenAI's own names for them."""
    names = await in_thread(use.models.speech_names)
    return answer(SpeechModels([SpeechModel(name) for name in names]))


@get(
    "/v1/models/{model:str}",
    contract=Contract(
        tag=Tag.OPENAI,
        answers={200: Answer(SpeechModel, description="It can be used.")},
        error_body=OpenAIErrorResponse,
        refuses=(NotFound,),
    ),
)
async def get_model(
    model: FromPath[str], principal: NamedDependency[Principal], use: NamedDependency[UseCases]
) -> Response[bytes]:
    """Whether `model` can be this name."""
    if model not in await in_thread(use.models.speech_names):
        raise NotFound(what="model")
    return answer(SpeechModel(model))
