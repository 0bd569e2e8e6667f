"""What a job's encrypted request artefact holds: the request, and what was decided about it.

Models are chosen at submission: a later change of settings touches no waiting job.
"""

from typing import ClassVar, TypeAlias

import msgspec

from onprem.core.job import JobKind
from onprem.core.output import DiarizationOutput, diarization_output
from onprem.core.requests import DiarizationRequest, DiarizeRequest
from onprem.core.speech import Analysis, Task


class DiarizeWork(msgspec.Struct, frozen=True, kw_only=True, tag="diarize"):
    """`POST /v1/diarize`."""

    kind: ClassVar[JobKind] = JobKind.DIARIZE

    request: DiarizeRequest
    diarization_model: str
    transcription_model: str | None = None

    @property
    def separate_channels(self) -> bool:
        return self.request.channels == "separate"

    def task(self) -> Task:
        """What the engine has to do."""
        config = self.request.transcription_config
        return msgspec.structs.replace(
            diarization_task(self.request, self.diarization_model),
            transcribe=self.request.transcription,
            transcription_model=self.transcription_model,
            language=config.language,
            vocabulary=config.vocabulary,
            prompt=config.prompt,
        )

    def output(self, analysis: Analysis, remarks: list[str]) -> DiarizationOutput:
        """What the client gets, with the `remarks` of fetching and decoding as warnings."""
        return diarization_output(self.request, analysis, remarks)


Work: TypeAlias = DiarizeWork
"""All kinds of work, told apart by their tag."""


def diarization_task(asked: DiarizationRequest, model: str) -> Task:
    """The part of a task that diarization and identification share."""
    return Task(
        num_speakers=asked.num_speakers,
        min_speakers=asked.min_speakers if asked.num_speakers is None else None,
        max_speakers=asked.max_speakers if asked.num_speakers is None else None,
        confidence=asked.confidence,
        turn_confidence=asked.turn_level_confidence,
        speech_probability=asked.speech_probability,
        crosstalk_probability=asked.crosstalk_probability,
        speaker_probability=asked.speaker_probability,
        vad_sensitivity=asked.vad_sensitivity,
        crosstalk_sensitivity=asked.crosstalk_sensitivity,
        diarization_model=model,
    )
