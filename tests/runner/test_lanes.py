"""A short recording never waits for a whole long one, and projects take turns."""

import asyncio
import threading
from collections.abc import Callable

from onprem.config.quantities import Duration
from onprem.config.settings import Runner
from onprem.core.cancel import CancelToken
from onprem.core.speech import Analysis, Task, Word
from onprem.services.keys import ALL_SCOPES
from tests.runner.conftest import Start
from tests.support.audio import tone
from tests.support.engine import FakeEngine
from tests.support.server import Running

SHORT = Runner(short_recording=Duration(2.0))
LONG_SAMPLES = 3 * 16_000


class SlowForLong(FakeEngine):
    """Is done with a short recording at once; with a long one when `long_gate` is open."""

    def __init__(self) -> None:
        super().__init__()
        self.long_gate = threading.Event()
        self.long_started = threading.Event()

    def analyse(
        self,
        task: Task,
        pcm: memoryview,
        progress: Callable[[str, float], None],
        cancel: CancelToken,
        heard: Callable[[list[Word]], None] | None = None,
    ) -> Analysis:
        if len(pcm) // 2 >= LONG_SAMPLES:
            self.long_started.set()
            while not self.long_gate.wait(0.01):
                cancel.check()
        return super().analyse(task, pcm, progress, cancel, heard)


async def submitted(server: Running, seconds: float, name: str) -> str:
    return await server.diarize(url=await server.upload(tone(seconds), f"media://{name}"))


async def status(server: Running, job_id: str) -> object:
    return (await server.job(job_id))["status"]


async def test_a_short_recording_passes_a_long_one(start: Start) -> None:
    engine = SlowForLong()
    async with start(engine=engine, runner=SHORT) as server:
        long = await submitted(server, 3.0, "long")
        await asyncio.to_thread(engine.long_started.wait)
        for number in range(3):
            short = await submitted(server, 1.0, f"short-{number}")
            assert (await server.finished(short))["status"] == "succeeded"
        assert await status(server, long) == "running"
        engine.long_gate.set()
        assert (await server.finished(long))["status"] == "succeeded"


async def test_long_recordings_take_no_place_from_short_ones(start: Start) -> None:
    """The second one is decoded, found to be long, and waits again without prejudice."""
    engine = SlowForLong()
    async with start(engine=engine, runner=SHORT) as server:
        longs = [await submitted(server, 3.0 + number, f"long-{number}") for number in range(3)]
        await asyncio.to_thread(engine.long_started.wait)
        short = await submitted(server, 1.0, "short")
        assert (await server.finished(short))["status"] == "succeeded"
        engine.long_gate.set()
        for job_id in longs:
            assert (await server.finished(job_id))["status"] == "succeeded"
        # Two are decoded at once: either may be the first to be found long.
        heard = sorted(samples for _, samples in engine.heard if samples >= LONG_SAMPLES)
        assert heard == [3 * 16_000, 4 * 16_000, 5 * 16_000]


async def test_a_long_recording_that_pauses_can_be_canceled(start: Start) -> None:
    engine = SlowForLong()
    engine.gate.clear()
    async with start(engine=engine, runner=SHORT) as server:
        long = await submitted(server, 3.0, "long")
        await asyncio.to_thread(engine.long_started.wait)
        short = await submitted(server, 1.0, "short")
        await asyncio.to_thread(engine.started.wait)  # the short one has the turn
        assert (await server.client.post(f"/v1/jobs/{long}/cancel")).status_code == 200
        async with asyncio.timeout(20):
            while (await server.job(long)).get("stopping"):
                await asyncio.sleep(0.02)
        engine.gate.set()
        assert (await server.finished(short))["status"] == "succeeded"


async def test_projects_take_turns(start: Start) -> None:
    engine = FakeEngine()
    engine.gate.clear()
    async with start(engine=engine, runner=Runner(jobs_in_work=1)) as server:
        await server.create_project("other")
        key = await server.key("other", ALL_SCOPES)
        await submitted(server, 1.0, "a0")
        await asyncio.to_thread(engine.started.wait)
        mine = [await submitted(server, 1.1 + number / 10, f"a{number}") for number in range(3)]
        own = dict(server.client.headers)
        server.client.headers["authorization"] = f"Bearer {key}"
        theirs = [await submitted(server, 1.5 + number / 10, f"b{number}") for number in range(2)]
        engine.gate.set()
        for job_id in theirs:
            assert (await server.finished(job_id))["status"] == "succeeded"
        server.client.headers.update(own)
        for job_id in mine:
            assert (await server.finished(job_id))["status"] == "succeeded"
        order = [round(samples / 16_000, 1) for _, samples in engine.heard]
        assert order == [1.0, 1.5, 1.1, 1.6, 1.2, 1.3]


async def test_a_long_recording_on_the_line_lets_short_ones_pass(start: Start) -> None:
    """One that came with a call of the OpenAI audio API is long like any other."""
    engine = SlowForLong()
    async with start(engine=engine, runner=SHORT) as server:
        call = asyncio.create_task(
            server.client.post(
                "/v1/audio/transcriptions",
                files={"file": ("a.wav", tone(3.0))},
                data={"model": "whisper-base"},
            )
        )
        await asyncio.to_thread(engine.long_started.wait)
        short = await submitted(server, 1.0, "short")
        assert (await server.finished(short))["status"] == "succeeded"
        assert not call.done()
        engine.long_gate.set()
        assert (await call).json()["text"] == "Hello world"
