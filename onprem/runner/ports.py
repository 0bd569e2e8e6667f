"""What the runner asks of an engine. The real one is `onprem.engine.engine.SpeechEngine`."""

from collections.abc import Callable
from typing import Protocol

from onprem.core.cancel import CancelToken
from onprem.core.speech import Analysis, Task, Word

ProgressCallback = Callable[[str, float], None]
"""Called from an accelerator thread with a stage's name and its done fraction, 0..1."""

HeardCallback = Callable[[list[Word]], None]
"""Called from an accelerator thread with the next words, as soon as they are final."""


class Engine(Protocol):
    """All methods block. They are called from the accelerator threads, of which there are two."""

    def load(self) -> None:
        """Verify and load the models that are configured, so that the first job need not wait.

        Raises:
            ModelError: a model is missing, damaged or unsafe.
            DeviceUnavailable: the device that was asked for is not there.
        """

    def analyse(
        self,
        task: Task,
        pcm: memoryview,
        progress: ProgressCallback,
        cancel: CancelToken,
        heard: HeardCallback | None = None,
    ) -> Analysis:
        """Run `task` on `pcm`: mono int16 samples in native byte order at 16 kHz.

        All that is given to `heard`, one after the other, are the words of the result.

        Raises:
            Canceled: at the next cancel point (a batch, a 30 s Whisper window) after a cancel.
            JobFailure: the recording cannot be analysed (`NoSpeech`, `EngineFailed`).
        """
        ...
