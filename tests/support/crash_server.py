"""The real server around an engine that can be told to crash: `python -m … FOLDER`.

FOLDER holds `onprem.toml`. Everything but the models is what `onprem serve` runs.
"""

import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

from onprem.cli import serve
from onprem.core.cancel import CancelToken
from onprem.core.speech import Analysis, Task, Turn, Word
from tests.support.engine import ENGINE

POISON_SAMPLES = 12_345
"""A recording of so many samples takes the server down."""

SLOW_SAMPLES = 23_456
"""A recording of so many samples is worked on until a cancel."""

TRANSCRIPT = "transcript-marker-3f9a1c"
"""What is said in every recording."""


class CrashEngine:
    """Finds one speaker, who says the marker."""

    def load(self) -> None:
        pass

    def analyse(
        self,
        task: Task,
        pcm: memoryview,
        progress: Callable[[str, float], None],
        cancel: CancelToken,
        heard: Callable[[list[Word]], None] | None = None,
    ) -> Analysis:
        samples = len(pcm) // 2
        if samples == POISON_SAMPLES:
            os.abort()
        progress("segmentation", 0.5)
        while samples == SLOW_SAMPLES:
            cancel.check()
            time.sleep(0.01)
        turns = [Turn("SPEAKER_00", 0.0, samples / 16_000)]
        words = [Word(0.0, 0.2, f" {TRANSCRIPT}")]
        return Analysis(turns=turns, exclusive=turns, words=words, engine=ENGINE)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    serve._engine = lambda _: CrashEngine()  # type: ignore[assignment,return-value]
    serve.serve(Path(sys.argv[1]) / "onprem.toml")
