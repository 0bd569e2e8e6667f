"""The speech engine: diarization and transcription behind the runner's port.

Importing this file imports torch, pyannote.audio and faster-whisper (about 7 s); whoever wires the
server does so in the accelerator's thread.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from onprem.core.cancel import Canceled, CancelToken
from onprem.core.speech import Analysis, ModelRef, Task
from onprem.engine.catalogue import RECIPES, ModelKind
from onprem.engine.device import resolve_device, use_all_cores
from onprem.engine.diarization import Diarization, Diarizer
from onprem.engine.libraries import assert_silent
from onprem.engine.library import InstalledModel, ModelLibrary
from onprem.engine.pipeline import imported_pipeline, starter_pipeline
from onprem.engine.residency import Residency
from onprem.engine.transcription import Transcriber, Transcription
from onprem.errors import EngineFailed, ModelOfOtherKind, OnpremError

LIBRARY_FAILURES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What the model libraries raise on odd input, a full accelerator or a fault of their own."""


class _LoadedDiarizer(NamedTuple):
    diarizer: Diarizer
    refs: dict[str, ModelRef]


class _LoadedTranscriber(NamedTuple):
    transcriber: Transcriber
    ref: ModelRef


class SpeechEngine:
    """Fulfils `onprem.runner.ports.Engine` with the models of one library folder.

    `diarization` and `transcription` are the ids that `load` loads ahead; a task may name others.
    `device` is "auto", "cpu" or "cuda:N".
    """

    def __init__(
        self, library_folder: Path, diarization: str, transcription: str, device: str
    ) -> None:
        self._library = ModelLibrary(library_folder)
        self._diarization = diarization
        self._transcription = transcription
        self._device = resolve_device(device)
        self._threads = use_all_cores()
        self._diarizers = Residency(self._diarizer_parts, self._load_diarizer, capacity=1)
        self._transcribers = Residency(
            lambda model_id: self._verified(model_id, "transcription"),
            self._load_transcriber,
            capacity=2,
        )

    def load(self) -> None:
        """Verify and load the configured models; raises `ModelError` where one is not usable."""
        assert_silent()
        self._diarizers.get(self._diarization)
        self._transcribers.get(self._transcription)

    def analyse(
        self,
        task: Task,
        pcm: memoryview,
        progress: Callable[[str, float], None],
        cancel: CancelToken,
    ) -> Analysis:
        """Run `task` on mono int16 samples at 16 kHz; see `onprem.runner.ports.Engine`.

        However it ends, nothing of the samples and of what was heard in them stays behind.

        Raises:
            Canceled: at the next cancel point.
            NoSpeech: nobody speaks.
            ModelError: a model that the task names is missing, damaged, unsafe or of another kind.
            EngineFailed: a model library failed; its own text is dropped, it may quote content.
        """
        stopped: Exception
        try:
            return self._analyse(task, pcm.cast("B").cast("h"), progress, cancel)
        except (Canceled, OnpremError) as error:
            # Without its traceback, whose frames would keep the samples alive.
            stopped = error.with_traceback(None)
        except LIBRARY_FAILURES as error:
            stopped = EngineFailed(kind=type(error).__name__)
        # Raised here rather than there, so that the library's own error does not hang on to it.
        raise stopped

    def _analyse(
        self,
        task: Task,
        samples: memoryview,
        progress: Callable[[str, float], None],
        cancel: CancelToken,
    ) -> Analysis:
        diarizer, refs = self._diarizers.get(task.diarization_model)
        speech: _LoadedTranscriber | None = None
        if task.transcribe:
            speech = self._transcribers.get(task.transcription_model or self._transcription)
            refs = {**refs, "transcription": speech.ref}
        found = diarizer.diarize(task, samples, progress, cancel)
        said = _transcribed(speech, task, samples, found, progress, cancel)
        return _analysis(found, said, refs)

    def _verified(self, model_id: str, needed: ModelKind) -> InstalledModel:
        model = self._library.verified(model_id)
        if model.kind != needed:
            raise ModelOfOtherKind(model=model_id, kind=model.kind, needed=needed)
        return model

    def _diarizer_parts(self, model_id: str) -> list[InstalledModel]:
        """The one whole pipeline, or the segmentation and embedding of a recipe."""
        recipe = RECIPES.get(model_id)
        if recipe is None:
            return [self._verified(model_id, "diarization")]
        segmentation = self._verified(recipe.segmentation, "segmentation")
        return [segmentation, self._verified(recipe.embedding, "embedding")]

    def _load_diarizer(self, parts: list[InstalledModel]) -> _LoadedDiarizer:
        folders = [part.folder for part in parts]
        pipeline = imported_pipeline(*folders) if len(folders) == 1 else starter_pipeline(*folders)
        refs = {"diarization": _ref(parts[0]), "embedding": _ref(parts[-1])}
        return _LoadedDiarizer(Diarizer(pipeline, self._device), refs)

    def _load_transcriber(self, model: InstalledModel) -> _LoadedTranscriber:
        transcriber = Transcriber(model.folder, self._device, self._threads)
        return _LoadedTranscriber(transcriber, _ref(model))


def _transcribed(
    speech: _LoadedTranscriber | None,
    task: Task,
    samples: memoryview,
    found: Diarization,
    progress: Callable[[str, float], None],
    cancel: CancelToken,
) -> Transcription | None:
    if speech is None:
        return None
    return speech.transcriber.transcribe(
        samples,
        found.turns,
        task.language,
        lambda fraction: progress("transcription", fraction),
        cancel,
    )


def _analysis(
    found: Diarization, said: Transcription | None, refs: dict[str, ModelRef]
) -> Analysis:
    return Analysis(
        turns=found.turns,
        exclusive=found.exclusive,
        confidence=found.confidence,
        words=said.words if said else None,
        language=said.language if said else None,
        warnings=[*found.warnings, *(said.warnings if said else [])],
        engine=refs,
    )


def _ref(model: InstalledModel) -> ModelRef:
    return ModelRef(model.id, model.digest)
