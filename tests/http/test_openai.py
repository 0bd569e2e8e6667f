"""The official OpenAI client, unmodified: every audio method, every format, whole and streamed."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.audio import (
    Transcription,
    TranscriptionDiarized,
    TranscriptionVerbose,
    Translation,
    TranslationVerbose,
)

from onprem.engine.importing import import_folder
from onprem.engine.library import ModelLibrary
from onprem.errors import EngineFailed, JobFailure, NoSpeech, TranslationUnsupported
from onprem.services.keys import Scope
from tests.support.audio import tone
from tests.support.engine import FakeEngine
from tests.support.model_folders import make_whisper_folder
from tests.support.people import OPERATOR
from tests.support.server import Running

# The client says so of every translation.
pytestmark = pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")

AUDIO = ("a.wav", tone(1.25))

SRT = "1\n00:00:00,100 --> 00:00:01,000\nHello\n\n2\n00:00:01,000 --> 00:00:02,000\nworld\n"
VTT = "WEBVTT\n\n00:00:00.100 --> 00:00:01.000\nHello\n\n00:00:01.000 --> 00:00:02.000\nworld\n"
SEGMENT = {
    "id": 0,
    "seek": 0,
    "start": 0.1,
    "end": 1.5,
    "text": " Hello world",
    "tokens": [50364, 2425, 1002],
    "temperature": 0.0,
    "avg_logprob": -0.25,
    "compression_ratio": 0.75,
    "no_speech_prob": 0.01,
}
TURNS = [("A", 0.1, 0.5, "Hello"), ("B", 1.0, 1.5, "world")]


def address(server: Running) -> str:
    return f"{server.client.base_url}/v1"


def secret(server: Running) -> str:
    return server.client.headers["authorization"].removeprefix("Bearer ")


@pytest.fixture
async def client(server: Running) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(
        api_key=secret(server), base_url=address(server), max_retries=0
    ) as client:
        yield client


async def test_json(client: AsyncOpenAI, engine: FakeEngine) -> None:
    made = await client.audio.transcriptions.create(file=AUDIO, model="whisper-base")
    assert isinstance(made, Transcription)
    assert made.text == "Hello world"
    assert made.usage is not None and made.usage.to_dict() == {"type": "duration", "seconds": 2}
    ((task, samples),) = engine.heard
    assert samples == 20_000
    assert (task.transcribe, task.translate, task.diarize) == (True, False, False)
    assert task.transcription_model == "whisper-base"


@pytest.mark.parametrize(
    ("response_format", "text"), [("text", "Hello world\n"), ("srt", SRT), ("vtt", VTT)]
)
async def test_texts(client: AsyncOpenAI, response_format: Any, text: str) -> None:
    for method in (client.audio.transcriptions, client.audio.translations):
        answer = await method.with_raw_response.create(
            file=AUDIO, model="whisper-base", response_format=response_format
        )
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.parse() == text


async def test_verbose_json(client: AsyncOpenAI) -> None:
    made = await client.audio.transcriptions.create(
        file=AUDIO,
        model="whisper-base",
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
    )
    assert isinstance(made, TranscriptionVerbose)
    assert (made.text, made.language, made.duration) == ("Hello world", "english", 1.25)
    assert made.segments is not None and [each.to_dict() for each in made.segments] == [SEGMENT]
    assert made.words is not None
    assert [(word.word, word.start, word.end) for word in made.words] == [
        ("Hello", 0.1, 0.5),
        ("world", 1.0, 1.5),
    ]


async def test_diarized_json(client: AsyncOpenAI, engine: FakeEngine) -> None:
    made = await client.audio.transcriptions.create(
        file=AUDIO,
        model="gpt-4o-transcribe-diarize",
        response_format="diarized_json",
        chunking_strategy="auto",
    )
    assert isinstance(made, TranscriptionDiarized)
    assert [(each.speaker, each.start, each.end, each.text) for each in made.segments] == TURNS
    ((task, _),) = engine.heard
    assert task.diarize


async def test_what_the_engine_is_told(client: AsyncOpenAI, engine: FakeEngine) -> None:
    answer = await client.audio.transcriptions.with_raw_response.create(
        file=AUDIO,
        model="whisper-base",
        language="de",
        prompt="x" * 3000 + "Frau Meier",
        keywords=["Meier", "Schulze"],
        temperature=0.5,
        chunking_strategy={"type": "server_vad", "threshold": 0.5},
        extra_body={"beam_size": 5},
    )
    ((task, _),) = engine.heard
    assert (task.language, task.vocabulary) == ("de", ["Meier", "Schulze"])
    assert task.prompt is not None and len(task.prompt) == 2000
    assert task.prompt.endswith("Frau Meier")
    assert answer.headers["x-onprem-warning"] == (
        "temperature has no effect. Ignored fields: beam_size, chunking_strategy[threshold]."
    )


async def test_translation(client: AsyncOpenAI, engine: FakeEngine) -> None:
    made = await client.audio.translations.create(file=AUDIO, model="whisper-base")
    assert isinstance(made, Translation) and made.text == "Hello world"
    verbose = await client.audio.translations.create(
        file=AUDIO, model="whisper-base", response_format="verbose_json"
    )
    assert isinstance(verbose, TranslationVerbose)
    assert (verbose.language, verbose.duration) == ("english", 1.25)
    assert verbose.segments is not None and verbose.segments[0].text == " Hello world"
    assert [task.translate for task, _ in engine.heard] == [True, True]


async def test_a_model_that_cannot_translate_is_refused_before_there_is_a_job(
    server: Running, client: AsyncOpenAI, engine: FakeEngine, tmp_path: Path
) -> None:
    english = make_whisper_folder(tmp_path)
    (english / "vocabulary.json").write_text('["the"]')
    library = ModelLibrary(server.settings.models.dir)
    import_folder(library, english, "english", progress=lambda sentence: None)
    with pytest.raises(openai.BadRequestError) as refused:
        await client.audio.translations.create(file=AUDIO, model="english")
    assert (refused.value.code, refused.value.param) == ("invalid_request", "model")
    assert "english cannot translate" in refused.value.message
    assert (await server.client.get("/v2/jobs")).json()["items"] == []
    await client.audio.transcriptions.create(file=AUDIO, model="english")
    assert [task.transcription_model for task, _ in engine.heard] == ["english"]


async def test_streamed(client: AsyncOpenAI) -> None:
    stream = await client.audio.transcriptions.create(file=AUDIO, model="whisper-base", stream=True)
    events = [event async for event in stream]
    assert [event.type for event in events[:-1]] == ["transcript.text.delta"] * (len(events) - 1)
    assert "".join(event.delta for event in events[:-1]) == "Hello world"  # type: ignore[union-attr]
    assert events[-1].to_dict() == {"type": "transcript.text.done", "text": "Hello world"}


async def test_streamed_with_speakers(client: AsyncOpenAI) -> None:
    answer = await client.audio.transcriptions.with_raw_response.create(
        file=AUDIO, model="whisper-base", stream=True, response_format="diarized_json"
    )
    assert answer.headers["content-type"] == "text/event-stream"
    events = [event async for event in answer.parse()]
    segments = [event for event in events if event.type == "transcript.text.segment"]
    assert [(each.speaker, each.start, each.end, each.text) for each in segments] == TURNS
    assert events[-1].type == "transcript.text.done"


async def test_the_synchronous_client(server: Running) -> None:
    def talk() -> tuple[str, list[str]]:
        with OpenAI(api_key=secret(server), base_url=address(server)) as client:
            whole = client.audio.transcriptions.create(file=AUDIO, model="whisper-base")
            stream = client.audio.transcriptions.create(
                file=AUDIO, model="whisper-base", stream=True
            )
            return whole.text, [event.type for event in stream]

    text, types = await asyncio.to_thread(talk)
    assert text == "Hello world"
    assert types[-1] == "transcript.text.done"


async def test_models(client: AsyncOpenAI) -> None:
    names = [model.id async for model in client.models.list()]
    assert "whisper-base" in names and "gpt-4o-transcribe" in names
    assert names == sorted(names)
    assert (await client.models.retrieve("whisper-1")).id == "whisper-1"
    with pytest.raises(openai.NotFoundError) as refused:
        await client.models.retrieve("gpt-5")
    assert refused.value.code == "not_found"


async def test_a_name_of_openais_stands_for_the_default(client: AsyncOpenAI) -> None:
    answer = await client.audio.transcriptions.with_raw_response.create(
        file=AUDIO, model="whisper-1"
    )
    assert answer.headers["x-onprem-warning"] == (
        "whisper-1 is not on this server; whisper-base is used instead."
    )


async def test_an_idempotency_key_is_said_to_have_no_effect(client: AsyncOpenAI) -> None:
    answer = await client.audio.transcriptions.with_raw_response.create(
        file=AUDIO, model="whisper-base", extra_headers={"Idempotency-Key": "call-1"}
    )
    assert answer.headers["x-onprem-warning"] == "Idempotency-Key has no effect."


async def test_silence_is_an_empty_text(client: AsyncOpenAI, engine: FakeEngine) -> None:
    engine.raises = NoSpeech()
    made = await client.audio.transcriptions.create(
        file=AUDIO, model="whisper-base", response_format="verbose_json"
    )
    assert (made.text, made.segments, made.duration) == ("", [], 1.25)
    stream = await client.audio.transcriptions.create(file=AUDIO, model="whisper-base", stream=True)
    assert [event.to_dict() async for event in stream] == [
        {"type": "transcript.text.done", "text": ""}
    ]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (TranslationUnsupported(model="m"), 400, "translation_unsupported"),
        (EngineFailed(kind="RuntimeError"), 500, "engine_failed"),
    ],
)
async def test_a_failed_job_is_an_error(
    client: AsyncOpenAI,
    engine: FakeEngine,
    failure: JobFailure,
    status: int,
    code: str,
    stream: bool,
) -> None:
    engine.raises = failure
    with pytest.raises(openai.APIStatusError) as refused:
        await client.audio.transcriptions.create(file=AUDIO, model="whisper-base", stream=stream)
    assert (refused.value.status_code, refused.value.code) == (status, code)
    assert isinstance(refused.value.body, dict)
    assert refused.value.body["message"] == failure.sentence


async def test_a_file_that_is_no_recording(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        await client.audio.transcriptions.create(file=("a.wav", b"no"), model="whisper-base")
    assert (refused.value.code, refused.value.param) == ("audio_unreadable", "file")
    assert refused.value.type == "invalid_request_error"


async def test_faults_are_named(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        await client.audio.transcriptions.create(
            file=AUDIO, model="other", include=["logprobs"], stream=True, response_format="srt"
        )
    assert refused.value.param == "include"
    assert isinstance(refused.value.body, dict)
    message = refused.value.body["message"]
    assert all(field in message for field in ("include:", "stream:", "model:"))


async def test_keys_and_scopes(server: Running, client: AsyncOpenAI) -> None:
    for key, kind in (
        ("sk_wrong", openai.AuthenticationError),
        (await server.key(scopes=[Scope.JOBS_READ]), openai.PermissionDeniedError),
    ):
        with pytest.raises(kind) as refused:
            await client.with_options(api_key=key).audio.transcriptions.create(
                file=AUDIO, model="whisper-base"
            )
        assert refused.value.body is not None


async def test_paths_that_are_not_here_answer_in_the_same_shape(server: Running) -> None:
    answer = await server.client.post("/v1/audio/speech", json={})
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "http_404"
    answer = await server.client.get("/v1/audio/transcriptions")
    assert answer.status_code == 405
    assert answer.json()["error"]["type"] == "invalid_request_error"


async def test_a_project_can_be_kept_from_it(server: Running, client: AsyncOpenAI) -> None:
    await server.server.use.projects.change("default", {"operations": ["diarize"]}, actor=OPERATOR)
    with pytest.raises(openai.PermissionDeniedError) as refused:
        await client.audio.transcriptions.create(file=AUDIO, model="whisper-base")
    assert refused.value.code == "operation_disabled"
