"""What a job's encrypted request artefact holds: the request, and what was decided about it."""

import msgspec

from onprem.core.requests import DiarizeRequest
from onprem.core.speech import Task


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """Models are chosen at submission: a later change of settings touches no waiting job."""

    request: DiarizeRequest
    diarization_model: str
    transcription_model: str | None = None

    def task(self) -> Task:
        """What the engine has to do."""
        asked = self.request
        return Task(
            num_speakers=asked.num_speakers,
            min_speakers=asked.min_speakers if asked.num_speakers is None else None,
            max_speakers=asked.max_speakers if asked.num_speakers is None else None,
            confidence=asked.confidence,
            turn_confidence=asked.turn_level_confidence,
            transcribe=asked.transcription,
            diarization_model=self.diarization_model,
            transcription_model=self.transcription_model,
            language=asked.transcription_config.language,
        )
