"""An engine without models, for the speed of tests; what it is told to do, it does."""

import threading
from collections.abc import Callable

from onprem.core.cancel import CancelToken
from onprem.core.speech import Analysis, FrameScores, ModelRef, Segment, Task, Turn, Word
from onprem.engine.catalogue import CAMPPLUS
from onprem.engine.manifest import Manifest

ENGINE = {"diarization": ModelRef("fake", "0" * 64)}
EMBEDDING = ModelRef(
    CAMPPLUS.id,
    Manifest(id=CAMPPLUS.id, kind="embedding", licence="", source="", files=CAMPPLUS.files).digest,
)


SEGMENTS = [
    Segment(
        id=0,
        seek=0,
        start=0.1,
        end=1.5,
        text=" Hello world",
        tokens=[50364, 2425, 1002],
        temperature=0.0,
        avg_logprob=-0.25,
        compression_ratio=0.75,
        no_speech_prob=0.01,
    )
]


class FakeEngine:
    """Finds two speakers in any recording. `gate` holds a job until a test opens it.

    `voices` are their vectors, which are all different; `turns` can be given to other speakers.
    """

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.deaf = False
        """Whether it reaches no cancel point."""
        self.started = threading.Event()
        self.heard: list[tuple[Task, int]] = []
        self.warnings: list[str] = []
        self.raises: Exception | None = None
        self.load_raises: Exception | None = None
        self.turns = [Turn("SPEAKER_00", 0.0, 1.0), Turn("SPEAKER_01", 0.9, 2.0)]
        self.words = [Word(0.1, 0.5, " Hello"), Word(1.0, 1.5, " world")]
        self.voices = {"SPEAKER_00": [1.0, 0.0, 0.0], "SPEAKER_01": [0.0, 1.0, 0.0]}

    def load(self) -> None:
        if self.load_raises is not None:
            raise self.load_raises

    def analyse(
        self,
        task: Task,
        pcm: memoryview,
        progress: Callable[[str, float], None],
        cancel: CancelToken,
        heard: Callable[[list[Word]], None] | None = None,
    ) -> Analysis:
        progress("segmentation", 0.5)
        self.heard.append((task, len(pcm) // 2))
        self.started.set()
        while not self.gate.wait(0.01):
            if not self.deaf:
                cancel.check()
        if not self.deaf:
            cancel.check()
        if self.raises is not None:
            raise self.raises
        exclusive = [Turn("SPEAKER_00", 0.0, 0.9), Turn("SPEAKER_01", 0.9, 2.0)]
        words = self.words if task.transcribe else None
        for word in words or ():
            if heard is not None:
                heard([word])
        return Analysis(
            turns=self.turns,
            exclusive=exclusive,
            confidence=FrameScores([90, 80], 0.02) if task.confidence else None,
            words=words,
            segments=SEGMENTS if task.transcribe else None,
            language="en" if task.transcribe else None,
            warnings=self.warnings,
            voices=dict.fromkeys(task.voices, self.voices),
            engine={**ENGINE, "embedding": EMBEDDING} if task.voices else ENGINE,
        )
