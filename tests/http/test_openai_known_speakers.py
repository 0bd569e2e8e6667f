"""Speakers whose voice comes with the request have their name in the answer, others a letter."""

from base64 import b64encode
from collections.abc import AsyncIterator

import openai
import pytest
from openai import AsyncOpenAI
from openai.types.audio import TranscriptionDiarized

from tests.support.audio import tone
from tests.support.engine import FakeEngine
from tests.support.server import Running

RECORDING = ("call.wav", tone(3.0))


def reference(seconds: float) -> str:
    return "data:audio/wav;base64," + b64encode(tone(seconds)).decode()


@pytest.fixture
async def client(server: Running) -> AsyncIterator[AsyncOpenAI]:
    key = server.client.headers["authorization"].removeprefix("Bearer ")
    async with AsyncOpenAI(base_url=f"{server.client.base_url}/v1", api_key=key) as client:
        yield client


async def transcribed(client: AsyncOpenAI, references: list[str]) -> TranscriptionDiarized:
    made = await client.audio.transcriptions.create(
        file=RECORDING,
        model="gpt-4o-transcribe-diarize",
        response_format="diarized_json",
        known_speaker_names=["Anna"],
        known_speaker_references=references,
    )
    assert isinstance(made, TranscriptionDiarized)
    return made


async def test_the_known_one_has_a_name_and_the_stranger_a_letter(
    client: AsyncOpenAI, engine: FakeEngine
) -> None:
    made = await transcribed(client, [reference(4.0)])
    assert [segment.speaker for segment in made.segments] == ["Anna", "A"]
    whole, part = engine.heard
    assert whole[0].voices == part[0].voices == ["campplus-zh-en"]
    assert (part[0].num_speakers, part[1]) == (1, 4 * 16_000)


async def test_a_voice_that_does_not_speak_names_nobody(
    client: AsyncOpenAI, engine: FakeEngine
) -> None:
    heard_alone = iter([engine.voices, {"SPEAKER_00": [0.0, 0.0, 1.0]}])

    plain = engine.analyse

    def analyse(*arguments: object, **options: object) -> object:
        engine.voices = next(heard_alone)
        return plain(*arguments, **options)  # type: ignore[arg-type]

    engine.analyse = analyse  # type: ignore[method-assign, assignment]
    made = await transcribed(client, [reference(4.0)])
    assert [segment.speaker for segment in made.segments] == ["A", "B"]


@pytest.mark.parametrize(
    "bad", ["data:audio/wav;base64,%%%", "https://example.com/a.wav", "data:audio/wav;base64,"]
)
async def test_a_reference_that_is_no_data_url_is_named(client: AsyncOpenAI, bad: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        await transcribed(client, [bad])
    assert caught.value.param == "known_speaker_references[0]"


@pytest.mark.parametrize("seconds", [1.0, 11.0])
async def test_a_reference_is_two_to_ten_seconds(client: AsyncOpenAI, seconds: float) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        await transcribed(client, [reference(seconds)])
    assert caught.value.code == "reference_unusable"
    assert "Reference 1" in str(caught.value)


async def test_a_reference_without_a_voice_is_named(
    client: AsyncOpenAI, engine: FakeEngine
) -> None:
    engine.voices = {}
    with pytest.raises(openai.BadRequestError, match="too_little_speech"):
        await transcribed(client, [reference(4.0)])
