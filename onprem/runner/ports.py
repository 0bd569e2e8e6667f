"""What the runner asks of an engine. The real one is `onprem.engine.engine.SpeechEngine`."""

from collections.abc import Callable
from typing import Protocol

from onprem.core.cancel import CancelToken
from onprem.core.speech import Analysis, Task

ProgressCallback = Callable[[str, float], None]
"""Called from the accelerator thread with a stage's name and its done fraction, 0..1."""


class Engine(Protocol):
    """All methods block and are called from the one accelerator thread only."""

    def load(self) -> None:
        """Verify and load the models that are configured, so that the first job need not wait.

        Raises:
            ModelError: a model is missing, damaged or unsafe.
            DeviceUnavailable: the device that was asked for is not there.
        """

    def analyse(
        self, task: Task, pcm: memoryview, progress: ProgressCallback, cancel: CancelToken
    ) -> Analysis:
        """Run `task` on `pcm`: mono int16 samples in native byte order at 16 kHz.

        Raises:
            Canceled: at the next cancel point (a batch, a 30 s Whisper window) after a cancel.
            JobFailure: the recording cannot be analysed (`NoSpeech`, `EngineFailed`).
        """
        ...
