"""An engine without models, for the speed of tests; what it is told to do, it does."""

import threading
from collections.abc import Callable

from onprem.core.cancel import CancelToken
from onprem.core.speech import Analysis, FrameScores, ModelRef, Task, Turn, Word

ENGINE = {"diarization": ModelRef("fake", "0" * 64)}


class FakeEngine:
    """Finds two speakers in any recording. `gate` holds a job until a test opens it."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.started = threading.Event()
        self.heard: list[tuple[Task, int]] = []
        self.raises: Exception | None = None
        self.load_raises: Exception | None = None

    def load(self) -> None:
        if self.load_raises is not None:
            raise self.load_raises

    def analyse(
        self,
        task: Task,
        pcm: memoryview,
        progress: Callable[[str, float], None],
        cancel: CancelToken,
    ) -> Analysis:
        progress("segmentation", 0.5)
        self.heard.append((task, len(pcm) // 2))
        self.started.set()
        while not self.gate.wait(0.01):
            cancel.check()
        cancel.check()
        if self.raises is not None:
            raise self.raises
        turns = [Turn("SPEAKER_00", 0.0, 1.0), Turn("SPEAKER_01", 0.9, 2.0)]
        exclusive = [Turn("SPEAKER_00", 0.0, 0.9), Turn("SPEAKER_01", 0.9, 2.0)]
        return Analysis(
            turns=turns,
            exclusive=exclusive,
            confidence=FrameScores([90, 80], 0.02) if task.confidence else None,
            words=[Word(0.1, 0.5, " Hello"), Word(1.0, 1.5, " world")] if task.transcribe else None,
            engine=ENGINE,
        )
