"""Two recordings at once on one engine: each result is that of the recording alone."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from onprem.core.cancel import CancelToken
from onprem.core.speech import Analysis, Task
from onprem.engine.engine import SpeechEngine
from tests.support.pyannote_sample import SAMPLE_RATE, sample_pcm

pytestmark = [pytest.mark.models, pytest.mark.ci]

LONG = Task(
    diarization_model="starter",
    confidence=True,
    turn_confidence=True,
    speaker_probability=True,
    voices=["campplus-zh-en"],
)
SHORT = Task(
    diarization_model="starter",
    num_speakers=1,
    turn_confidence=True,
    speech_probability=True,
    crosstalk_probability=True,
    vad_sensitivity=3.0,
)
SPEECH = Task(diarization_model="starter", diarize=False, speaker_probability=True)


class CallsBack(CancelToken):
    """Calls `at_check` with the number of the cancel point."""

    def __init__(self, at_check: Callable[[int], None]) -> None:
        super().__init__()
        self.checks = 0
        self._at_check = at_check

    def check(self) -> None:
        self.checks += 1
        self._at_check(self.checks)
        super().check()


def ignore(*progress: object) -> None:
    """No progress wanted."""


@pytest.fixture(scope="module")
def engine(models_folder: Path) -> SpeechEngine:
    engine = SpeechEngine(models_folder, "starter", "whisper-tiny.en", "cpu")
    engine.load()
    return engine


def seconds(start: float, end: float) -> memoryview:
    return sample_pcm()[int(start * SAMPLE_RATE) : int(end * SAMPLE_RATE)]


def in_thread(work: Callable[[], None]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_a_short_one_runs_to_its_end_at_every_pause_of_a_long_one(engine: SpeechEngine) -> None:
    long, short = seconds(5, 17), seconds(15, 18)
    expected = engine.analyse(LONG, long, ignore, CancelToken())
    tasks = (SHORT, SPEECH)
    expected_short = [engine.analyse(task, short, ignore, CancelToken()) for task in tasks]
    between: list[bool] = []

    def another(check: int) -> None:
        which = check % 2
        found = engine.analyse(tasks[which], short, ignore, CancelToken())
        between.append(found == expected_short[which])

    paused = CallsBack(lambda check: in_thread(lambda: another(check)))
    assert engine.analyse(LONG, long, ignore, paused) == expected
    assert len(between) == paused.checks > 6
    assert all(between)


def test_two_take_turns_at_every_cancel_point(engine: SpeechEngine) -> None:
    """The threads meet at a barrier at each cancel point, so they compute at the same time."""
    works = [(LONG, seconds(5, 17)), (SHORT, seconds(15, 27))]
    expected = [engine.analyse(task, pcm, ignore, CancelToken()) for task, pcm in works]
    barrier = threading.Barrier(2)
    found: list[Analysis | None] = [None, None]

    def meet(check: int) -> None:
        try:
            barrier.wait(timeout=60)
        except threading.BrokenBarrierError:
            """The other one has ended."""

    def run(index: int) -> None:
        task, pcm = works[index]
        try:
            found[index] = engine.analyse(task, pcm, ignore, CallsBack(meet))
        finally:
            barrier.abort()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == expected
