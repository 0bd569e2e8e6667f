"""A client on the line: what it hears at once, what becomes of its job when it goes, and what is
left."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from openai import AsyncOpenAI

from onprem.config.settings import Limits
from onprem.core.access import Means
from onprem.core.cancel import CancelToken
from onprem.core.job import JobStatus
from onprem.core.receipt import DeletionReason
from onprem.core.speech import Analysis, Task, Word
from onprem.errors import EngineFailed, StorageFull, StoreBusy
from onprem.media.worker_copy import Lease, WorkerCopy, WorkerMemory
from onprem.runner.attended import Call, Recording
from onprem.services import speech_to_text
from onprem.services.access import Reader
from onprem.services.speech_to_text import Conversation, Ended, SpeechToText
from tests.support.audio import tone
from tests.support.clock import FakeClock
from tests.support.engine import FakeEngine
from tests.support.server import Running, install, running, settings_in
from tests.support.store import reader_of

FORM: dict[str, Any] = {
    "files": {"file": ("a.wav", tone(1.0))},
    "data": {"model": "whisper-base"},
}
PATH = "/v1/audio/transcriptions"


class HalfHeard(FakeEngine):
    """Passes the first word on, and waits for the gate before the second."""

    def analyse(
        self,
        task: Task,
        pcm: memoryview,
        progress: Callable[[str, float], None],
        cancel: CancelToken,
        heard: Callable[[list[Word]], None] | None = None,
    ) -> Analysis:
        assert heard is not None
        heard([Word(0.1, 0.5, " Hello")])
        return super().analyse(
            task, pcm, progress, cancel, lambda words: heard([w for w in words if w.start > 0.5])
        )


async def the_job(server: Running) -> dict[str, Any]:
    """The only one, once it has ended and left all its receipts."""
    async with asyncio.timeout(10):
        while True:
            (job,) = (await server.client.get("/v2/jobs")).json()["items"]
            state = await server.job(job["id"])
            if state["status"] in ("succeeded", "failed", "canceled") and "stopping" not in state:
                if state["status"] == "canceled" or "outputExpiredAt" in state:
                    return state
            await asyncio.sleep(0.02)


async def receipts(server: Running, job_id: object) -> set[tuple[str, str]]:
    found = (await server.client.get(f"/v1/jobs/{job_id}/receipts")).json()["receipts"]
    return {(each["kind"], each["reason"]) for each in found}


def memory_in_use(server: Running) -> int:
    return server.server.use.speech_to_text._memory.in_use


async def test_words_come_before_the_job_has_ended(tmp_path: Path, clock: FakeClock) -> None:
    engine = HalfHeard()
    engine.gate.clear()
    settings = settings_in(tmp_path)
    key = await install(settings, clock)
    async with (
        running(settings, engine, key, clock) as server,
        AsyncOpenAI(api_key=key, base_url=f"{server.client.base_url}/v1") as client,
    ):
        stream = await client.audio.transcriptions.create(
            file=("a.wav", tone(1.0)), model="whisper-base", stream=True
        )
        first = await anext(aiter(stream))
        assert first.to_dict() == {"type": "transcript.text.delta", "delta": "Hello"}
        assert not engine.gate.is_set()
        engine.gate.set()
        rest = [event.to_dict() async for event in stream]
    assert rest == [
        {"type": "transcript.text.delta", "delta": " world"},
        {"type": "transcript.text.done", "text": "Hello world"},
    ]


async def test_a_job_that_fails_after_its_first_words_ends_the_stream_with_an_error(
    tmp_path: Path, clock: FakeClock
) -> None:
    engine = HalfHeard()
    engine.raises = EngineFailed(kind="RuntimeError")
    settings = settings_in(tmp_path)
    key = await install(settings, clock)
    async with (
        running(settings, engine, key, clock) as server,
        AsyncOpenAI(api_key=key, base_url=f"{server.client.base_url}/v1") as client,
    ):
        stream = await client.audio.transcriptions.create(
            file=("a.wav", tone(1.0)), model="whisper-base", stream=True
        )
        with pytest.raises(openai.APIError, match="The models failed"):
            async for _ in stream:
                pass


async def test_an_answer_leaves_receipts_and_nothing_else(server: Running, tmp_path: Path) -> None:
    answer = await server.client.post(PATH, **FORM)
    assert answer.json()["text"] == "Hello world"
    job = await the_job(server)
    assert job["jobId"] == answer.headers["x-onprem-job-id"]
    assert "output" not in job
    assert await receipts(server, job["jobId"]) == {
        ("worker_copy", "job_ended"),
        ("request", "job_ended"),
        ("output", "delivered"),
    }
    assert memory_in_use(server) == 0
    markers = [tone(1.0)[1000:1064], b"Hello", b"world"]
    for path in tmp_path.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(marker in content for marker in markers), path


async def test_the_recording_is_on_no_disk_while_it_is_worked_on(
    server: Running, engine: FakeEngine, tmp_path: Path
) -> None:
    engine.gate.clear()
    call = asyncio.create_task(server.client.post(PATH, **FORM))
    await asyncio.to_thread(engine.started.wait)
    marker = tone(1.0)[1000:1064]
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in kept if marker in path.read_bytes()]
    engine.gate.set()
    assert (await call).status_code == 200


@pytest.mark.parametrize("stream", ["false", "true"])
async def test_a_client_that_goes_cancels_its_job(
    server: Running, engine: FakeEngine, stream: str
) -> None:
    engine.gate.clear()
    form = {**FORM, "data": {"model": "whisper-base", "stream": stream}}
    call = asyncio.create_task(server.client.post(PATH, **form))
    await asyncio.to_thread(engine.started.wait)
    call.cancel()
    job = await the_job(server)
    assert job["status"] == "canceled"
    assert await receipts(server, job["jobId"]) == {
        ("worker_copy", "job_ended"),
        ("request", "job_ended"),
    }
    assert memory_in_use(server) == 0


async def test_a_client_that_goes_in_the_middle_of_a_stream_cancels_its_job(
    tmp_path: Path, clock: FakeClock
) -> None:
    engine = HalfHeard()
    engine.gate.clear()
    settings = settings_in(tmp_path)
    key = await install(settings, clock)
    async with running(settings, engine, key, clock) as server:
        form = {**FORM, "data": {"model": "whisper-base", "stream": "true"}}
        async with server.client.stream("POST", PATH, **form) as answer:
            assert "Hello" in await anext(answer.aiter_lines())
        job = await the_job(server)
        assert job["status"] == "canceled"
        assert memory_in_use(server) == 0


async def test_a_client_that_goes_before_its_job_was_claimed_leaves_receipts_too(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    submitted = asyncio.Event()
    attended = server.server.use.speech_to_text._attended
    monkeypatch.setattr(attended, "waiting", lambda: iter([]))
    add = attended.add
    monkeypatch.setattr(attended, "add", lambda call: (add(call), submitted.set()))
    call = asyncio.create_task(server.client.post(PATH, **FORM))
    await submitted.wait()
    call.cancel()
    async with asyncio.timeout(10):
        while len(await receipts(server, (await jobs(server))[0]["id"])) < 2:
            await asyncio.sleep(0.02)
    job = await the_job(server)
    assert job["status"] == "canceled"
    assert await receipts(server, job["jobId"]) == {
        ("worker_copy", "job_ended"),
        ("request", "job_ended"),
    }
    assert memory_in_use(server) == 0


async def jobs(server: Running) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await server.client.get("/v2/jobs")).json()["items"]
    return found


async def test_a_client_that_goes_while_it_sends_leaves_nothing(server: Running) -> None:
    async def slow() -> Any:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nRIFF'
        raise httpx.ReadError("the client breaks off")

    with pytest.raises(httpx.ReadError):
        await server.client.post(
            PATH, content=slow(), headers={"content-type": "multipart/form-data; boundary=b"}
        )
    async with asyncio.timeout(10):
        while memory_in_use(server):
            await asyncio.sleep(0.02)
    assert await jobs(server) == []


async def test_a_canceled_job_is_answered_and_not_sent_again(
    server: Running, engine: FakeEngine
) -> None:
    engine.gate.clear()
    call = asyncio.create_task(server.client.post(PATH, **FORM))
    await asyncio.to_thread(engine.started.wait)
    (job,) = await jobs(server)
    assert (await server.client.post(f"/v1/jobs/{job['id']}/cancel")).is_success
    answer = await call
    assert (answer.status_code, answer.json()["error"]["code"]) == (410, "canceled")


async def test_a_full_queue_is_429_with_a_time(tmp_path: Path, clock: FakeClock) -> None:
    engine = FakeEngine()
    engine.gate.clear()
    settings = settings_in(tmp_path, limits=Limits(queue_length=1))
    key = await install(settings, clock)
    async with running(settings, engine, key, clock) as server:
        first = asyncio.create_task(server.client.post(PATH, **FORM))
        await asyncio.to_thread(engine.started.wait)
        async with AsyncOpenAI(
            api_key=key, base_url=f"{server.client.base_url}/v1", max_retries=0
        ) as client:
            with pytest.raises(openai.RateLimitError) as refused:
                await client.audio.transcriptions.create(
                    file=("a.wav", tone(1.0)), model="whisper-base"
                )
        assert refused.value.code == "queue_full"
        assert int(refused.value.response.headers["retry-after"]) > 0
        engine.gate.set()
        assert (await first).status_code == 200


async def test_no_room_in_memory_is_503_with_a_time(
    tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speech_to_text, "ROOM_SECONDS", 0.05)
    engine = FakeEngine()
    engine.gate.clear()
    settings = settings_in(tmp_path)
    key = await install(settings, clock)
    async with running(settings, engine, key, clock) as server:
        memory = server.server.use.speech_to_text._memory
        async with memory.reserve(memory.limit):
            answer = await server.client.post(PATH, **FORM)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "no_room")
        assert answer.headers["retry-after"] == "5"
        engine.gate.set()
        assert (await server.client.post(PATH, **FORM)).status_code == 200


async def test_waiting_clients_take_no_place_from_jobs_and_none_waits_for_ever(
    tmp_path: Path, clock: FakeClock
) -> None:
    """More recordings than places, in a memory that holds one of them at a time."""
    engine = FakeEngine()
    limits = Limits(worker_memory=600_000_000)  # type: ignore[arg-type]
    settings = settings_in(tmp_path, limits=limits)
    key = await install(settings, clock)
    async with running(settings, engine, key, clock) as server:
        url = await server.upload(tone(1.0))
        submitted = [await server.diarize(url=url) for _ in range(4)]
        answers = await asyncio.gather(*(server.client.post(PATH, **FORM) for _ in range(6)))
        assert [answer.status_code for answer in answers] == [200] * 6
        for job_id in submitted:
            assert (await server.finished(job_id))["status"] == "succeeded"


async def test_words_that_were_heard_while_the_client_read_are_not_lost() -> None:
    """The job ends while the stream stands at what came before."""
    bell = asyncio.Event()
    call = Call(
        "job", Recording(WorkerCopy.create("test"), Lease(WorkerMemory(1), 0)), streams=True
    )

    class Ending(SpeechToText):
        def __init__(self) -> None:
            """Only waits for the bell."""

        async def _over(self, talk: Conversation) -> Ended:
            await bell.wait()
            return Ended(JobStatus.SUCCEEDED)

        async def _note_words(self, talk: Conversation) -> None:
            pass

    reader = Reader("key:0badcafe", Means.OPENAI, "project", "job")
    heard = Ending().words(Conversation(reader, call, None))
    call.hear([Word(0.0, 0.5, " one")])
    assert [word.text for word in await anext(heard)] == [" one"]
    call.hear([Word(0.5, 1.0, " two")])
    await asyncio.sleep(0)
    bell.set()
    await asyncio.sleep(0)
    assert [word.text async for words in heard for word in words] == [" two"]
    call.close()


async def test_what_a_recording_gave_rise_to_is_named(server: Running, engine: FakeEngine) -> None:
    engine.warnings = ["The model knows English only."]
    answer = await server.client.post(PATH, **FORM)
    assert "English only" in answer.headers["x-onprem-warning"]


async def test_a_full_disk_at_the_end_is_tried_again(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speech_to_text, "DELETE_AGAIN_SECONDS", 0.02)
    service = server.server.use.speech_to_text
    delete, failures = service._delete, iter([StorageFull(), StoreBusy()])

    async def fails_twice(talk: Conversation, reason: DeletionReason) -> None:
        for failure in failures:
            raise failure
        await delete(talk, reason)

    monkeypatch.setattr(service, "_delete", fails_twice)
    answer = await server.client.post(PATH, **FORM)
    assert answer.status_code == 200
    job = await the_job(server)
    assert ("output", "delivered") in await receipts(server, job["jobId"])


async def test_a_reader_of_the_log_is_counted_and_left_to_the_sweep(
    server: Running, caplog: pytest.LogCaptureFixture
) -> None:
    """The answer is out already: its client cannot be told."""
    speech = server.server.use.speech_to_text
    database, verification = speech._database, speech._artefacts.verification
    await database._writer.execute("PRAGMA busy_timeout = 50")
    with reader_of(database):
        assert (await server.client.post(PATH, **FORM)).status_code == 200
        await the_job(server)
        await asyncio.gather(*speech._endings)
        assert await verification.unresolved(database) == 1
    assert caplog.text.count("leaves something behind") == 1
