"""The speech engine, imported when it is loaded: torch and pyannote.audio take seconds to import.

The server answers requests meanwhile; the import runs on the accelerator thread.
"""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from onprem.core.cancel import CancelToken
from onprem.core.speech import Analysis, Task, Word
from onprem.engine import offline


class EngineSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What `SpeechEngine` is made with."""

    library_folder: Path
    diarization: str
    transcription: str
    device: str


class DeferredEngine:
    """Stands for a `SpeechEngine` until `load` makes one."""

    def __init__(self, settings: EngineSettings) -> None:
        self._settings = settings
        self._engine: Any = None

    def load(self) -> None:
        """Raises as `SpeechEngine.load`, and TelemetryEnabled before anything is imported."""
        offline.assert_offline()
        if self._engine is None:
            module = importlib.import_module("onprem.engine.engine")
            self._engine = module.SpeechEngine(**msgspec.structs.asdict(self._settings))
        self._engine.load()

    def analyse(
        self,
        task: Task,
        pcm: memoryview,
        progress: Callable[[str, float], None],
        cancel: CancelToken,
        heard: Callable[[list[Word]], None] | None = None,
    ) -> Analysis:
        analysis: Analysis = self._engine.analyse(task, pcm, progress, cancel, heard)
        return analysis
