"""`channels: "separate"`: each channel is analysed alone, and the answer says who spoke where."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from onprem.config.settings import ByteSize, Duration, Limits
from onprem.core.cancel import Canceled, CancelReason, CancelToken
from onprem.core.speech import Analysis, Task, Word
from onprem.errors import NoSpeech
from onprem.media.decode import Decoded, decode
from onprem.media.worker_copy import WorkerCopy
from onprem.runner import source
from onprem.runner.channels import analyse_channels
from tests.runner.conftest import Start
from tests.support.audio import tone as mono
from tests.support.decoding import LIMITS
from tests.support.engine import FakeEngine
from tests.support.recordings import many_channels, tone
from tests.support.rows import row
from tests.support.server import Running


class ListeningEngine(FakeEngine):
    """As FakeEngine, but nobody speaks where all samples are 0; `peaks` are what it heard."""

    def __init__(self) -> None:
        super().__init__()
        self.peaks: list[int] = []

    def analyse(
        self,
        task: Task,
        pcm: memoryview,
        progress: Callable[[str, float], None],
        cancel: CancelToken,
        heard: Callable[[list[Word]], None] | None = None,
    ) -> Analysis:
        self.peaks.append(int(np.abs(np.frombuffer(pcm, dtype=np.int16)).max()))
        if self.peaks[-1] == 0:
            raise NoSpeech()
        return super().analyse(task, pcm, progress, cancel, heard)


@pytest.fixture
def engine() -> ListeningEngine:
    return ListeningEngine()


def recording(*peaks: float, seconds: float = 2.0, rate: int = 16_000) -> bytes:
    """A wav with a channel for each peak (1.0 is full scale); 0 is a silent one."""
    sound = tone(seconds, rate) * 4 * 32_767
    frames = np.stack([sound * peak for peak in peaks], axis=1)
    return many_channels("wav", "pcm_s16le", frames.astype(np.int16), rate)


async def outcome(server: Running, content: bytes, **asked: Any) -> dict[str, Any]:
    job_id = await server.diarize(url=await server.upload(content), **asked)
    return await server.finished(job_id)


async def test_each_side_of_a_call_has_speakers_of_its_own(
    server: Running, engine: ListeningEngine
) -> None:
    job = await outcome(server, recording(0.5, 0.25), channels="separate", exclusive=True)
    assert engine.peaks == pytest.approx([16_383, 8191], rel=0.01)
    assert job["output"]["diarization"] == [
        {"speaker": "SPEAKER_00", "start": 0.0, "end": 1.0, "channel": 0},
        {"speaker": "SPEAKER_01", "start": 0.0, "end": 1.0, "channel": 1},
        {"speaker": "SPEAKER_02", "start": 0.9, "end": 2.0, "channel": 0},
        {"speaker": "SPEAKER_03", "start": 0.9, "end": 2.0, "channel": 1},
    ]
    exclusive = job["output"]["exclusiveDiarization"]
    assert [(turn["speaker"], turn["channel"]) for turn in exclusive] == [
        ("SPEAKER_00", 0),
        ("SPEAKER_01", 1),
        ("SPEAKER_02", 0),
        ("SPEAKER_03", 1),
    ]


async def test_words_say_their_channel_and_turns_are_not_broken_up(server: Running) -> None:
    job = await outcome(server, recording(0.5, 0.25), channels="separate", transcription=True)
    words = job["output"]["wordLevelTranscription"]
    assert [(word["text"], word["speaker"], word["channel"]) for word in words] == [
        ("Hello", "SPEAKER_00", 0),
        ("Hello", "SPEAKER_01", 1),
        ("world", "SPEAKER_02", 0),
        ("world", "SPEAKER_03", 1),
    ]
    turns = job["output"]["turnLevelTranscription"]
    assert [turn["channel"] for turn in turns] == [0, 1, 0, 1]


async def test_without_it_the_channels_are_mixed(server: Running, engine: ListeningEngine) -> None:
    job = await outcome(server, recording(0.5, 0.25))
    assert engine.peaks == pytest.approx([12_287], rel=0.01)
    assert not any("channel" in turn for turn in job["output"]["diarization"])


async def test_a_silent_channel_adds_nothing(server: Running) -> None:
    job = await outcome(server, recording(0, 0.25, 0), channels="separate")
    assert [(turn["speaker"], turn["channel"]) for turn in job["output"]["diarization"]] == [
        ("SPEAKER_00", 1),
        ("SPEAKER_01", 1),
    ]


async def test_all_channels_silent_is_no_speech(server: Running) -> None:
    job = await outcome(server, recording(0, 0), channels="separate")
    assert job["status"] == "failed"
    assert "No speech detected." in job["output"]["error"]


async def test_a_recording_of_one_channel_has_channel_0(server: Running) -> None:
    job = await outcome(server, mono(2.0), channels="separate")
    assert [turn["channel"] for turn in job["output"]["diarization"]] == [0, 0]


async def test_too_many_channels_fail_the_job(server: Running) -> None:
    job = await outcome(server, recording(*[0.5] * 9), channels="separate")
    assert row(server, job["jobId"], "error_code") == ("too_many_channels",)
    assert "9 channels" in job["output"]["error"]


ROOM_FOR_FOUR_SECONDS = Limits(
    media_size=ByteSize.parse("128KiB"),
    audio_duration=Duration(4),
    worker_memory=ByteSize.parse("1MiB"),
)


@pytest.fixture
def leases(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Bytes that each decoding had for its PCM."""
    seen: list[int] = []

    async def watched(*arguments: Any, **options: Any) -> Decoded:
        seen.append(options["limits"].pcm_bytes)
        return await decode(*arguments, **options)

    monkeypatch.setattr(source, "decode", watched)
    return seen


async def test_what_does_not_fit_like_a_mix_is_tried_with_more_room(
    start: Start, leases: list[int]
) -> None:
    async with start(limits=ROOM_FOR_FOUR_SECONDS) as server:
        memory = server.server.runner._runner._source._memory
        content = recording(0.5, 0.25, seconds=3.5, rate=8000)
        job = await outcome(server, content, channels="separate")
        assert job["status"] == "succeeded"
        assert leases[0] == 4 * 32_000
        assert leases[1] > 2 * 3.5 * 32_000
        assert memory.in_use == 0


async def test_what_fits_into_no_room_says_so(start: Start, leases: list[int]) -> None:
    async with start(limits=ROOM_FOR_FOUR_SECONDS) as server:
        content = recording(*[0.1] * 8, seconds=3.9, rate=2000)
        job = await outcome(server, content, channels="separate")
        assert "limits.worker_memory (1048576 bytes)" in job["output"]["error"]
        assert len(leases) == 2


async def test_progress_is_that_of_all_channels(engine: ListeningEngine) -> None:
    seen: list[tuple[str, float]] = []
    with WorkerCopy.create("test") as copy:
        copy.write(recording(0.5, 0.25))
        decoded = await decode(copy, limits=LIMITS, separate=True)
    task = Task(diarization_model="starter")
    with decoded.pcm:
        analyse_channels(engine, task, decoded, lambda *one: seen.append(one), CancelToken())
    assert seen == [("segmentation", part) for part in (0.25, 0.75)]


async def test_a_cancel_amid_the_channels_ends_it(engine: ListeningEngine) -> None:
    cancel = CancelToken()
    with WorkerCopy.create("test") as copy:
        copy.write(recording(0.5, 0.25, 0.1))
        decoded = await decode(copy, limits=LIMITS, separate=True)

    def stop_at_the_second(stage: str, fraction: float) -> None:
        if fraction > 1 / 3:
            cancel.cancel(CancelReason.USER)

    task = Task(diarization_model="starter")
    with decoded.pcm, pytest.raises(Canceled):
        analyse_channels(engine, task, decoded, stop_at_the_second, cancel)
    assert len(engine.peaks) == 2
