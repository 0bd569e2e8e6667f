"""Who speaks when: one recording through a pipeline, as turns of this product."""

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
import numpy as np
import torch

from onprem.core.cancel import CancelToken
from onprem.core.speech import FrameScores, Task, Turn
from onprem.engine.confidence import Grid, Posteriors, frame_scores, turn_scores
from onprem.engine.pcm import SAMPLE_RATE, as_tensor
from onprem.engine.pipeline import OfflineDiarization
from onprem.errors import NoSpeech

STAGES = {
    "segmentation": "segmentation",
    "speaker_counting": "segmentation",
    "embeddings": "embedding",
    "discrete_diarization": "clustering",
}
"""What pyannote calls its steps -> what this product calls them."""


class Diarization(NamedTuple):
    """`turns` may overlap, `exclusive` do not; both in order of start."""

    turns: list[Turn]
    exclusive: list[Turn]
    confidence: FrameScores | None
    warnings: list[str]


class Diarizer:
    """Runs one pipeline, on one recording at a time."""

    def __init__(self, pipeline: OfflineDiarization, device: torch.device) -> None:
        self._pipeline = pipeline.to(device)

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
        hook = _Hook(progress, cancel)
        try:
            self._pipeline.windows.powerset.start(keep=task.confidence or task.turn_confidence)
            output = self._apply(task, pcm, hook)
            return self._result(task, output, len(pcm) / SAMPLE_RATE, hook.speaking_clusters)
        finally:
            self._pipeline.forget()

    def _result(self, task: Task, output: Any, duration: float, clusters: list[int]) -> Diarization:
        labels = _labels_by_appearance(output.speaker_diarization, duration)
        turns = _turns(output.speaker_diarization, labels, duration)
        if not turns:
            raise NoSpeech
        exclusive = _turns(output.exclusive_speaker_diarization, labels, duration)
        confidence = None
        if task.confidence or task.turn_confidence:
            posteriors = self._posteriors(clusters, labels)
            if task.confidence:
                confidence = frame_scores(posteriors, duration)
            if task.turn_confidence:
                turns = _with_scores(turns, posteriors)
                exclusive = _with_scores(exclusive, posteriors)
        return Diarization(turns, exclusive, confidence, _warnings(task, len(labels)))

    def _apply(self, task: Task, pcm: memoryview, hook: "_Hook") -> Any:
        with warnings.catch_warnings():
            # Of too few speakers the answer tells; the rest is for pyannote's developers.
            warnings.filterwarnings("ignore", module=r"pyannote\.|numpy\.|torch\.|onprem\.")
            return self._pipeline(
                {"waveform": as_tensor(pcm), "sample_rate": SAMPLE_RATE},
                num_speakers=task.num_speakers,
                min_speakers=task.min_speakers,
                max_speakers=task.max_speakers,
                hook=hook,
            )

    def _posteriors(self, clusters: list[int], labels: dict[str, str]) -> Posteriors:
        decision, activity = self._pipeline.windows.powerset.kept()
        frames = self._pipeline.windows.model.receptive_field
        named = {f"SPEAKER_{index:02d}": cluster for index, cluster in enumerate(clusters)}
        speakers = {labels[name]: cluster for name, cluster in named.items() if name in labels}
        assert self._pipeline.last_clusters is not None
        return Posteriors(
            decision=decision,
            activity=activity,
            clusters=self._pipeline.last_clusters,
            speakers=speakers,
            window_step=self._pipeline.windows.step,
            grid=Grid(middle=frames.start + frames.duration / 2, step=frames.step),
        )


class _Hook:
    """What pyannote calls after every batch: progress goes out, a cancel comes in."""

    def __init__(self, progress: Callable[[str, float], None], cancel: CancelToken) -> None:
        self._progress = progress
        self._cancel = cancel
        self.speaking_clusters: list[int] = []

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
            self.speaking_clusters = np.flatnonzero(artefact.data[:-1].any(axis=0)).tolist()


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
    least = task.num_speakers or task.min_speakers or 1
    if found >= least:
        return []
    return [f"{found} speaker(s) were found, though at least {least} were asked for."]
