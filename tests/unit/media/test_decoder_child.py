"""The child as a process: however it ends, the server gets an error, and nothing is left over."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from onprem.errors import DecoderCrashed, DecoderTimeout
from onprem.media import decode as decode_module
from onprem.media.decode import Decoded, DecodeLimits, decode
from onprem.media.worker_copy import WorkerCopy
from tests.support.recordings import silent_flac, tone, wav

Spawn = Callable[..., object]


@pytest.fixture(scope="module")
def long_recording() -> bytes:
    return silent_flac(1)


class Child:
    """The process behind a `decode`, and the memfd that it fills."""

    def __init__(self, process: asyncio.subprocess.Process, output: int) -> None:
        self.process = process
        self._output = output

    async def has_begun(self) -> None:
        """Wait until the first PCM arrived: the child is confined, and amid the file."""
        while os.fstat(self._output).st_size == 0:
            await asyncio.sleep(0.002)

    @property
    def exists(self) -> bool:
        """Whether it runs, or waits to be reaped."""
        return Path(f"/proc/{self.process.pid}").exists()

    @property
    def peak_memory(self) -> int:
        """Bytes of resident memory, at most so far."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> asyncio.Queue[Child]:
    started: asyncio.Queue[Child] = asyncio.Queue()
    spawn = asyncio.create_subprocess_exec

    async def spy(*command: str, **options: object) -> asyncio.subprocess.Process:
        process = await spawn(*command, **options)
        started.put_nowait(Child(process, options["pass_fds"][1]))
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", spy)
    return started


@asynccontextmanager
async def running(content: bytes, limits: DecodeLimits) -> AsyncIterator[asyncio.Task[Decoded]]:
    with WorkerCopy.create("test") as copy:
        copy.write(content)
        yield asyncio.create_task(decode(copy, limits=limits))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
async def test_a_child_that_dies_amid_the_file(
    children: asyncio.Queue[Child],
    long_recording: bytes,
    limits: DecodeLimits,
    number: signal.Signals,
) -> None:
    async with running(long_recording, limits) as task:
        child = await children.get()
        await child.has_begun()
        child.process.send_signal(number)
        with pytest.raises(DecoderCrashed, match=number.name):
            await task


async def test_a_cancel_kills_and_reaps_the_child(
    children: asyncio.Queue[Child], long_recording: bytes, limits: DecodeLimits
) -> None:
    async with running(long_recording, limits) as task:
        child = await children.get()
        await child.has_begun()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert child.process.returncode == -signal.SIGKILL
        assert not child.exists


async def test_the_wall_clock_ends_it(
    children: asyncio.Queue[Child], long_recording: bytes, limits: DecodeLimits
) -> None:
    async with running(long_recording, msgspec.structs.replace(limits, wall_seconds=0.05)) as task:
        with pytest.raises(DecoderTimeout, match="longer than 0.05 s"):
            await task
    assert (await children.get()).process.returncode == -signal.SIGKILL


async def test_the_memory_of_the_child_is_flat(
    children: asyncio.Queue[Child], limits: DecodeLimits
) -> None:
    async def peak(hours: float) -> int:
        async with running(silent_flac(hours), limits) as task:
            child, most = await children.get(), 0
            while not task.done():
                try:
                    most = max(most, child.peak_memory)
                except (OSError, StopIteration):
                    break  # it has just ended
                await asyncio.sleep(0.005)
            (await task).pcm.close()
            return most

    short, long = await peak(0.05), await peak(1)
    assert long < short + 20_000_000
    assert long < 100_000_000


async def test_the_child_starts_with_nothing_of_the_servers(
    monkeypatch: pytest.MonkeyPatch, limits: DecodeLimits
) -> None:
    seen: list[tuple[tuple[str, ...], dict[str, object]]] = []
    spawn = asyncio.create_subprocess_exec

    async def spy(*command: str, **options: object) -> asyncio.subprocess.Process:
        seen.append((command, options))
        return await spawn(*command, **options)

    monkeypatch.setenv("ANY_SECRET", "s3cr3t")
    monkeypatch.setattr(asyncio, "create_subprocess_exec", spy)
    async with running(wav(tone(1)), limits) as task:
        (await task).pcm.close()
    command, options = seen[0]
    assert command[:5] == (sys.executable, "-I", "-B", "-m", "onprem.media.decoder")
    assert set(options["env"]) == {"LC_ALL", "MALLOC_ARENA_MAX"}
    assert len(options["pass_fds"]) == 2


SERVER = """
import asyncio, sys
from onprem.media.decode import DecodeLimits, decode
from onprem.media.worker_copy import WorkerCopy

spawn = asyncio.create_subprocess_exec

async def spy(*command, **options):
    process = await spawn(*command, **options)
    print(process.pid, flush=True)
    return process

async def main():
    copy = WorkerCopy.create("test")
    copy.write(sys.stdin.buffer.read())
    limits = DecodeLimits(audio_seconds=9e9, pcm_bytes=1 << 30, worker_memory=1 << 30)
    await decode(copy, limits=limits)

asyncio.create_subprocess_exec = spy
asyncio.run(main())
"""


async def test_a_server_that_is_killed_takes_the_child_with_it(long_recording: bytes) -> None:
    command = (sys.executable, "-I", "-c", SERVER)
    pipe = asyncio.subprocess.PIPE
    server = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    server.stdin.write(long_recording)
    server.stdin.write_eof()
    child = int(await server.stdout.readline())
    await asyncio.sleep(0.3)
    os.kill(child, 0)
    server.kill()
    await server.wait()
    async with asyncio.timeout(5):
        while _runs(child):
            await asyncio.sleep(0.01)


def _runs(pid: int) -> bool:
    """Whether the process exists and is no zombie that waits for init."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize(
    "program",
    [
        "raise SystemExit(3)",
        "pass",
        "print('nonsense')",
        'print(\'{"result": "refused", "error": "no_such_code", "seccomp": true}\')',
        'print(\'{"result": "refused", "error": "audio_too_long", "seccomp": true}\')',
        "while True: print('x' * 1000)",
        'print(\'{"result": "decoded", "samples": 9, "seconds": 1, "source_rate": 1, "channels": 1,'
        ' "codec": "x", "container": "x", "damaged_packets": 0, "seccomp": true}\')',
        'print(\'{"result": "refused", "error": "audio_unreadable", "seccomp": true,'
        ' "why": "<script>"}\')',
    ],
)
async def test_a_child_that_was_taken_over_is_not_believed(
    monkeypatch: pytest.MonkeyPatch, limits: DecodeLimits, program: str
) -> None:
    monkeypatch.setattr(decode_module, "_COMMAND", (sys.executable, "-I", "-c", program))
    async with running(wav(tone(1)), limits) as task:
        with pytest.raises(DecoderCrashed):
            await task
