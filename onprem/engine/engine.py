"""The speech engine: diarization and transcription behind the runner's port.

Importing this file imports torch, pyannote.audio and faster-whisper (about 7 s); whoever wires the
server does so in the accelerator's thread.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from onprem.core.cancel import Canceled, CancelToken
from onprem.core.speech import Analysis, ModelRef, Task, Word
from onprem.engine.catalogue import RECIPES, ModelKind
from onprem.engine.device import resolve_device, use_all_cores
from onprem.engine.diarization import Diarization, Diarizer
from onprem.engine.libraries import PretrainedSpeakerEmbedding, assert_silent
from onprem.engine.library import InstalledModel, ModelLibrary
from onprem.engine.pipeline import (
    imported_embedding,
    imported_pipeline,
    starter_embedding,
    starter_pipeline,
)
from onprem.engine.residency import Residency
from onprem.engine.transcription import Transcriber, Transcription
from onprem.engine.voices import EmbeddingNetwork, speaker_voices
from onprem.errors import EngineFailed, ModelOfOtherKind, OnpremError, TranslationUnsupported

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
        self._embeddings = Residency(self._embedding_part, self._load_embedding, capacity=2)
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
        heard: Callable[[list[Word]], None] | None = None,
    ) -> Analysis:
        """Run `task` on mono int16 samples at 16 kHz; see `onprem.runner.ports.Engine`.

        However it ends, nothing of the samples and of what was heard in them stays behind.

        Raises:
            Canceled: at the next cancel point.
            NoSpeech: nobody speaks.
            TranslationUnsupported: the transcription model cannot translate.
            ModelError: a model that the task names is missing, damaged, unsafe or of another kind.
            EngineFailed: a model library failed; its own text is dropped, it may quote content.
        """
        stopped: Exception
        try:
            return self._analyse(task, pcm.cast("B").cast("h"), progress, cancel, heard)
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
        heard: Callable[[list[Word]], None] | None,
    ) -> Analysis:
        diarizer, refs = self._diarizers.get(task.diarization_model)
        networks = {
            model_id: diarizer.embedding_network
            if model_id == refs["embedding"].id
            else self._embeddings.get(model_id)
            for model_id in task.voices
        }
        if not task.diarize:
            refs = {"diarization": refs["diarization"]}
        speech: _LoadedTranscriber | None = None
        if task.transcribe:
            speech = self._transcribers.get(task.transcription_model or self._transcription)
            refs = {**refs, "transcription": speech.ref}
            if task.translate and not self._library.translates(speech.ref.id):
                raise TranslationUnsupported(model=speech.ref.id)
        found = diarizer.diarize(task, samples, progress, cancel)
        voices = {
            model_id: speaker_voices(network, samples, found.turns, cancel)
            for model_id, network in networks.items()
        }
        said = _transcribed(speech, task, samples, found, progress, cancel, heard)
        return _analysis(found, voices, said, refs)

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

    def _embedding_part(self, model_id: str) -> InstalledModel:
        """A single embedding, or a whole pipeline for the embedding in it."""
        whole = self._library.kind_of(model_id) == "diarization"
        return self._verified(model_id, "diarization" if whole else "embedding")

    def _load_embedding(self, model: InstalledModel) -> EmbeddingNetwork:
        load = imported_embedding if model.kind == "diarization" else starter_embedding
        network: EmbeddingNetwork = PretrainedSpeakerEmbedding(load(model.folder), self._device)
        return network

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
    heard: Callable[[list[Word]], None] | None,
) -> Transcription | None:
    if speech is None:
        return None
    return speech.transcriber.transcribe(
        task,
        samples,
        found.turns,
        lambda fraction: progress("transcription", fraction),
        cancel,
        heard,
    )


def _analysis(
    found: Diarization,
    voices: dict[str, dict[str, list[float]]],
    said: Transcription | None,
    refs: dict[str, ModelRef],
) -> Analysis:
    return Analysis(
        turns=found.turns,
        exclusive=found.exclusive,
        confidence=found.confidence,
        speech_probability=found.speech_probability,
        crosstalk_probability=found.crosstalk_probability,
        speaker_probability=found.speaker_probability,
        voices=voices,
        words=said.words if said else None,
        segments=said.segments if said else None,
        language=said.language if said else None,
        warnings=[*found.warnings, *(said.warnings if said else [])],
        engine=refs,
    )


def _ref(model: InstalledModel) -> ModelRef:
    return ModelRef(model.id, model.digest)
