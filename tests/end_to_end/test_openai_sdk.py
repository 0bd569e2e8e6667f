"""OpenAI's client, unmodified, against this server with real models."""

import asyncio
import time
import wave
from importlib import util
from pathlib import Path
from typing import Any

import openai
import pysrt
import pytest
import webvtt
from openai import AsyncOpenAI, OpenAI

from tests.support.audio import wav
from tests.support.process import ServerProcess

pytestmark = [
    pytest.mark.models,
    pytest.mark.ci,
    # The client says so of every translation.
    pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning"),
]

_PACKAGE = util.find_spec("pyannote.audio")
assert _PACKAGE is not None and _PACKAGE.origin is not None
SAMPLE = Path(_PACKAGE.origin).parent / "sample" / "sample.wav"
"""30 s of a phone call between two people; one of them lives in New Jersey."""
SAID = "New Jersey"


@pytest.fixture
def arguments(live: ServerProcess) -> dict[str, Any]:
    return {"api_key": live.key, "base_url": f"{live.address}/v1", "max_retries": 0}


@pytest.fixture
def sample() -> tuple[str, bytes]:
    return ("sample.wav", SAMPLE.read_bytes())


def test_every_format(arguments: dict[str, Any], sample: tuple[str, bytes]) -> None:
    with OpenAI(**arguments) as client:

        def made(response_format: str, **options: Any) -> Any:
            return client.audio.transcriptions.create(
                file=sample, model="whisper-1", response_format=response_format, **options
            )

        whole = made("json")
        verbose = made("verbose_json", timestamp_granularities=["word", "segment"])
        subtitles = webvtt.from_string(made("vtt"), strict=True)
        text = made("text")
        srt = pysrt.from_string(made("srt"), error_handling=pysrt.ERROR_RAISE)

    assert SAID in whole.text and whole.text == text.strip() == verbose.text
    assert whole.usage.seconds == 30
    assert (verbose.language, round(verbose.duration)) == ("english", 30)
    assert SAID in "".join(segment.text for segment in verbose.segments)
    words = [word.word for word in verbose.words]
    assert words[words.index("New") + 1].startswith("Jersey")
    assert all(0 <= word.start <= word.end <= 30.1 for word in verbose.words)
    assert SAID in " ".join(cue.text.replace("\n", " ") for cue in subtitles)
    assert [cue.text for cue in srt] == [cue.text for cue in subtitles]


def test_speakers(arguments: dict[str, Any], sample: tuple[str, bytes]) -> None:
    with OpenAI(**arguments) as client:
        made: Any = client.audio.transcriptions.create(
            file=sample,
            model="gpt-4o-transcribe-diarize",
            response_format="diarized_json",
            chunking_strategy="auto",
        )
    assert {segment.speaker for segment in made.segments} == {"A", "B"}
    assert made.segments[0].speaker == "A"


async def test_streamed(arguments: dict[str, Any]) -> None:
    """A minute: the model hears at most half of one at once."""
    with wave.open(str(SAMPLE)) as source:
        twice = wav(2 * source.readframes(source.getnframes()))
    async with AsyncOpenAI(**arguments) as client:
        stream = await client.audio.transcriptions.create(
            file=("twice.wav", twice), model="whisper-1", stream=True
        )
        events: list[Any] = [event async for event in stream]
    deltas = [event.delta for event in events if event.type == "transcript.text.delta"]
    assert len(deltas) > 1
    assert "".join(deltas) == events[-1].text
    assert SAID in events[-1].text


def test_translation(arguments: dict[str, Any], sample: tuple[str, bytes]) -> None:
    with OpenAI(**arguments) as client:
        made: Any = client.audio.translations.create(
            file=sample, model="whisper-base", response_format="verbose_json"
        )
        assert made.language == "english" and SAID in made.text
        with pytest.raises(openai.BadRequestError) as refused:
            client.audio.translations.create(file=sample, model="whisper-tiny.en")
    assert (refused.value.code, refused.value.param) == ("invalid_request", "model")


async def test_a_client_that_goes_leaves_receipts_and_nothing_on_disk(
    arguments: dict[str, Any], sample: tuple[str, bytes], live: ServerProcess
) -> None:
    async with AsyncOpenAI(**arguments) as client:
        call = asyncio.create_task(
            client.audio.transcriptions.create(file=sample, model="whisper-1")
        )
        job_id = await asyncio.to_thread(newest_running, live)
        assert traces(live) == []
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
    job = await asyncio.to_thread(live.wait, job_id)
    assert job["status"] == "canceled"
    found: set[tuple[str, str]] = set()
    end = time.monotonic() + 60
    while len(found) < 2 and time.monotonic() < end:
        with live.client() as reader:
            receipts = reader.get(f"/v1/jobs/{job_id}/receipts").json()["receipts"]
        found = {(each["kind"], each["reason"]) for each in receipts}
    assert found == {("request", "job_ended"), ("worker_copy", "job_ended")}
    assert traces(live) == []


def newest_running(live: ServerProcess) -> str:
    end = time.monotonic() + 60
    with live.client() as client:
        while True:
            assert time.monotonic() < end
            newest = client.get("/v2/jobs", params={"limit": 1}).json()["items"]
            if newest and newest[0]["status"] == "running":
                return str(newest[0]["id"])


def traces(live: ServerProcess) -> list[Path]:
    """Files with a piece of the recording or of its text in them."""
    markers = [SAMPLE.read_bytes()[100_000:100_064], SAID.encode()]
    return [
        path
        for path in live.folder.rglob("*")
        if path.is_file() and any(marker in path.read_bytes() for marker in markers)
    ]
