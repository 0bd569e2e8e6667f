"""Who speaks when: one recording through a pipeline, as turns of this product."""

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import torch

from onprem.core.cancel import CancelToken
from onprem.core.speech import FrameScores, SpeakerScores, Task, Turn
from onprem.engine.confidence import frame_scores, turn_scores
from onprem.engine.pcm import SAMPLE_RATE, as_tensor
from onprem.engine.pipeline import OfflineDiarization
from onprem.engine.posteriors import Grid, Posteriors, Quantity
from onprem.engine.probabilities import (
    crosstalk_probability,
    speaker_probability,
    speech_probability,
)
from onprem.engine.quiet import quiet
from onprem.engine.segmentation import bias_of
from onprem.engine.voices import EmbeddingNetwork
from onprem.errors import NoSpeech

STAGES = {
    "segmentation": "segmentation",
    "speaker_counting": "segmentation",
    "embeddings": "embedding",
    "discrete_diarization": "clustering",
}
"""What pyannote calls its steps -> what this product calls them."""

SOMEBODY = "SPEAKER_00"
"""Whose speech it is where nobody asks who speaks."""


class Diarization(NamedTuple):
    """`turns` may overlap, `exclusive` do not; both in order of start."""

    turns: list[Turn]
    exclusive: list[Turn]
    confidence: FrameScores | None
    speech_probability: FrameScores | None
    crosstalk_probability: FrameScores | None
    speaker_probability: SpeakerScores | None
    warnings: list[str]


class _Found(NamedTuple):
    """As `Diarization`, and what was kept while it was found."""

    turns: list[Turn]
    exclusive: list[Turn]
    posteriors: Posteriors


class Diarizer:
    """Runs one pipeline; several threads may do so at once, each on a recording of its own."""

    def __init__(self, pipeline: OfflineDiarization, device: torch.device) -> None:
        self._pipeline = pipeline.to(device)

    @property
    def embedding_network(self) -> EmbeddingNetwork:
        """The network that tells its speakers apart."""
        network: EmbeddingNetwork = self._pipeline.embedding_network
        return network

    def diarize(
        self,
        task: Task,
        pcm: memoryview,
        progress: Callable[[str, float], None],
        cancel: CancelToken,
    ) -> Diarization:
        """Find the turns in mono int16 samples at 16 kHz.

        Raises:
            Canceled: after the batch in work.
            NoSpeech: nobody speaks.
        """
        pipeline = self._pipeline.for_one_recording(
            keep=_quantities(task),
            bias=bias_of(task.vad_sensitivity, task.crosstalk_sensitivity),
        )
        hook = _Hook(progress, cancel)
        find = _speakers if task.diarize else _speech
        with quiet:
            found = find(pipeline, task, pcm, hook)
        return _scored(task, found, len(pcm) / SAMPLE_RATE)


class _Hook:
    """What pyannote calls after every batch: progress goes out, a cancel comes in."""

    def __init__(self, progress: Callable[[str, float], None], cancel: CancelToken) -> None:
        self._progress = progress
        self._cancel = cancel
        self.clusters: list[int] = []

    def __call__(
        self,
        step: str,
        artefact: Any,
        file: Any = None,
        total: int | None = None,
        completed: int | None = None,
    ) -> None:
        self._cancel.check()
        if total:
            self._progress(STAGES[step], min(1.0, (completed or 0) / total))
        elif step == "embeddings":
            self._progress("clustering", 0.0)
        elif step == "discrete_diarization":
            self._progress("clustering", 1.0)
            # A speaker who is active in the last frame alone gets no turn.
            self.clusters = np.flatnonzero(artefact.data[:-1].any(axis=0)).tolist()


def _quantities(task: Task) -> set[Quantity]:
    """What the task's scores are made of."""
    of_speakers = task.turn_confidence or task.speaker_probability
    needed: dict[Quantity, bool] = {
        "decision": task.confidence,
        # Without speakers, all speech is one speaker's activity.
        "speech": task.speech_probability or (of_speakers and not task.diarize),
        "crosstalk": task.crosstalk_probability,
        "activity": of_speakers and task.diarize,
    }
    return {quantity for quantity, is_needed in needed.items() if is_needed}


def _speakers(pipeline: OfflineDiarization, task: Task, pcm: memoryview, hook: _Hook) -> _Found:
    duration = len(pcm) / SAMPLE_RATE
    output: Any = pipeline(
        _file(pcm),
        num_speakers=task.num_speakers,
        min_speakers=task.min_speakers,
        max_speakers=task.max_speakers,
        hook=hook,
    )
    labels = _labels_by_appearance(output.speaker_diarization, duration)
    turns = _turns(output.speaker_diarization, labels, duration)
    if not turns:
        raise NoSpeech
    exclusive = _turns(output.exclusive_speaker_diarization, labels, duration)
    named = {f"SPEAKER_{index:02d}": cluster for index, cluster in enumerate(hook.clusters)}
    speakers = {labels[name]: cluster for name, cluster in named.items() if name in labels}
    assert pipeline.last_clusters is not None
    kept = pipeline.windows.powerset.kept()
    return _Found(turns, exclusive, _posteriors(pipeline, kept, pipeline.last_clusters, speakers))


def _speech(pipeline: OfflineDiarization, task: Task, pcm: memoryview, hook: _Hook) -> _Found:
    duration = len(pcm) / SAMPLE_RATE
    annotation = pipeline.speech(_file(pcm), hook)
    turns = _turns(annotation, _labels_by_appearance(annotation, duration), duration)
    if not turns:
        raise NoSpeech
    kept = pipeline.windows.powerset.kept()
    clusters = np.empty((0, 1), dtype=np.int8)
    if "speech" in kept:
        kept["activity"] = kept["speech"][:, :, np.newaxis]
        clusters = np.zeros((len(kept["speech"]), 1), dtype=np.int8)
    return _Found(turns, turns, _posteriors(pipeline, kept, clusters, {SOMEBODY: 0}))


def _file(pcm: memoryview) -> dict[str, Any]:
    return {"waveform": as_tensor(pcm), "sample_rate": SAMPLE_RATE}


def _posteriors(
    pipeline: OfflineDiarization,
    kept: dict[Quantity, npt.NDArray[np.floating]],
    clusters: npt.NDArray[np.integer],
    speakers: dict[str, int],
) -> Posteriors:
    frames = pipeline.windows.model.receptive_field
    return Posteriors(
        kept=kept,
        clusters=clusters,
        speakers=speakers,
        window_step=pipeline.windows.step,
        grid=Grid(middle=frames.start + frames.duration / 2, step=frames.step),
    )


def _scored(task: Task, found: _Found, duration: float) -> Diarization:
    turns, exclusive, posteriors = found
    speakers = {turn.speaker for turn in turns}
    if task.turn_confidence:
        turns = _with_scores(turns, posteriors)
        exclusive = _with_scores(exclusive, posteriors)
    return Diarization(
        turns=turns,
        exclusive=exclusive,
        confidence=frame_scores(posteriors, duration) if task.confidence else None,
        speech_probability=(
            speech_probability(posteriors, duration) if task.speech_probability else None
        ),
        crosstalk_probability=(
            crosstalk_probability(posteriors, duration) if task.crosstalk_probability else None
        ),
        speaker_probability=(
            speaker_probability(posteriors, duration) if task.speaker_probability else None
        ),
        warnings=_warnings(task, len(speakers)),
    )


def _labels_by_appearance(annotation: Any, duration: float) -> dict[str, str]:
    """pyannote numbers speakers by cluster; we number them as they are first heard."""
    tracks = annotation.itertracks(yield_label=True)
    order = dict.fromkeys(label for segment, _, label in tracks if segment.start < duration)
    return {label: f"SPEAKER_{index:02d}" for index, label in enumerate(order)}


def _turns(annotation: Any, labels: dict[str, str], duration: float) -> list[Turn]:
    """The last window is padded with silence, so turns can reach or lie behind the end."""
    turns = [
        Turn(labels[label], round(segment.start, 3), round(min(segment.end, duration), 3))
        for segment, _, label in annotation.itertracks(yield_label=True)
        if segment.start < duration
    ]
    real = [turn for turn in turns if turn.start < turn.end]
    return sorted(real, key=lambda turn: (turn.start, turn.end, turn.speaker))


def _with_scores(turns: list[Turn], posteriors: Posteriors) -> list[Turn]:
    scores = turn_scores(posteriors, turns)
    return [
        msgspec.structs.replace(turn, confidence=score)
        for turn, score in zip(turns, scores, strict=True)
    ]


def _warnings(task: Task, found: int) -> list[str]:
    least = (task.num_speakers or task.min_speakers or 1) if task.diarize else 1
    if found >= least:
        return []
    return [f"{found} speaker(s) were found, though at least {least} were asked for."]
