"""Worker memory: jobs wait for room, none is lost, and all of it comes back."""

import asyncio

import pytest

from onprem.config.settings import ByteSize, Duration, Limits, Runner as RunnerSettings
from onprem.media.decode import Decoded, decode
from onprem.media.worker_copy import WorkerCopy
from onprem.runner import source
from tests.runner.conftest import Start
from tests.support.audio import tone
from tests.support.rows import row

ONE_AT_A_TIME = Limits(
    media_size=ByteSize.parse("256KiB"),
    audio_duration=Duration(4),
    worker_memory=ByteSize.parse("512KiB"),
)


async def test_jobs_wait_for_room_and_none_is_lost(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[int] = []
    async with start(limits=ONE_AT_A_TIME, runner=RunnerSettings(jobs_in_work=4)) as server:
        memory = server.server.runner._runner._source._memory

        async def watched(*arguments: object, **options: object) -> Decoded:
            held.append(memory.in_use)
            return await decode(*arguments, **options)  # type: ignore[arg-type]

        monkeypatch.setattr(source, "decode", watched)
        url = await server.upload(tone(2.0))
        ids = [await server.diarize(url=url) for _ in range(6)]
        ended = [(await server.finished(job_id))["status"] for job_id in ids]

        assert ended == ["succeeded"] * 6
        assert len(held) == 6
        assert max(held) <= memory.limit
        assert memory.in_use == 0


async def test_a_small_upload_need_not_wait_while_another_is_decoded(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside the first there is no room for the largest recording, but for this one there is."""
    limits = Limits(
        media_size=ByteSize.parse("1MiB"),
        audio_duration=Duration(4),
        worker_memory=ByteSize.parse("1200KiB"),
    )
    decoding, go_on = asyncio.Semaphore(0), asyncio.Event()

    async def slow(*arguments: object, **options: object) -> Decoded:
        decoding.release()
        await go_on.wait()
        return await decode(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(source, "decode", slow)
    async with start(limits=limits) as server:
        url = await server.upload(tone(1.0))
        ids = [await server.diarize(url=url) for _ in range(2)]
        async with asyncio.timeout(20):
            for _ in ids:
                await decoding.acquire()
        go_on.set()
        for job_id in ids:
            assert (await server.finished(job_id))["status"] == "succeeded"


async def test_a_recording_larger_than_all_of_it_fails(start: Start) -> None:
    limits = Limits(worker_memory=ByteSize.parse("128KiB"), media_size=ByteSize.parse("100KiB"))
    async with start(limits=limits) as server:
        # 8 kHz to upload, twice that once decoded.
        large = await server.diarize(url=await server.upload(tone(5.0, rate=8000), "media://l"))
        small = await server.diarize(url=await server.upload(tone(1.0, rate=8000), "media://s"))
        assert (await server.finished(large))["status"] == "failed"
        assert row(server, large, "error_code") == ("worker_memory_exceeded",)
        assert (await server.finished(small))["status"] == "succeeded"


async def test_a_copy_is_never_larger_than_the_memory(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    write = WorkerCopy.write

    def watched(copy: WorkerCopy, chunk: bytes | memoryview) -> None:
        try:
            write(copy, chunk)
        finally:
            sizes.append(copy.size)

    monkeypatch.setattr(WorkerCopy, "write", watched)
    limits = Limits(worker_memory=ByteSize.parse("512KiB"), media_size=ByteSize.parse("4MiB"))
    async with start(limits=limits) as server:
        job_id = await server.diarize(url=await server.upload(bytes(3 << 20)))
        job = await server.finished(job_id)

    assert "does not fit into limits.worker_memory (524288 bytes)" in str(job["output"])
    assert max(sizes) <= limits.worker_memory
