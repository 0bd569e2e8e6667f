"""The tables of parameters against the official client: a new one has to be judged."""

from openai.types import AudioModel
from openai.types.audio import transcription_create_params, translation_create_params
from openai.types.audio_response_format import AudioResponseFormat

from onprem.core.openai.parameters import TRANSCRIPTIONS, TRANSLATIONS
from onprem.core.openai.requests import ResponseFormat, TranscriptionRequest, TranslationRequest
from onprem.services.model_choice import HOSTED_SPEECH


def test_every_parameter_of_the_client_is_judged() -> None:
    whole = transcription_create_params.TranscriptionCreateParamsNonStreaming.__annotations__
    streamed = transcription_create_params.TranscriptionCreateParamsStreaming.__annotations__
    translated = translation_create_params.TranslationCreateParams.__annotations__
    assert {parameter.name for parameter in TRANSCRIPTIONS} == whole.keys() | streamed.keys()
    assert {parameter.name for parameter in TRANSLATIONS} == set(translated)


def test_the_requests_take_what_the_tables_say() -> None:
    for table, request in (
        (TRANSCRIPTIONS, TranscriptionRequest),
        (TRANSLATIONS, TranslationRequest),
    ):
        assert {parameter.name for parameter in table} == {*request.__struct_fields__, "file"}


def test_every_format_and_every_model_of_the_client() -> None:
    assert set(ResponseFormat) == set(AudioResponseFormat.__args__)
    assert set(AudioModel.__args__) == HOSTED_SPEECH
