"""What a job's encrypted request artefact holds: the request, and what was decided about it.

Models are chosen at submission: a later change of settings touches no waiting job.
"""

from typing import ClassVar, TypeAlias

import msgspec

from onprem.core.enrolment import voice_of_one
from onprem.core.identification import Calibration, KnownVoice, identified
from onprem.core.job import JobKind
from onprem.core.openai.known_speakers import KnownSpeaker
from onprem.core.openai.output import SpeechOutput, speech_output
from onprem.core.output import DiarizationOutput, diarization_output
from onprem.core.requests import DiarizationRequest, DiarizeRequest
from onprem.core.speech import Analysis, Task
from onprem.core.voice_output import (
    IdentificationOutput,
    VoiceprintOutput,
    identification_output,
)
from onprem.core.voice_requests import IdentifyRequest, VoiceprintRequest
from onprem.core.voiceprint import Voiceprint, read_sealed, seal


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


class TranscribeWork(msgspec.Struct, frozen=True, kw_only=True, tag="transcribe"):
    """`POST /v1/audio/transcriptions` and `/translations`: the recording came with the request."""

    kind: ClassVar[JobKind] = JobKind.TRANSCRIBE
    separate_channels: ClassVar[bool] = False

    diarize: bool
    translate: bool
    diarization_model: str
    transcription_model: str
    language: str | None = None
    vocabulary: list[str] = []
    prompt: str | None = None
    known: list[KnownSpeaker] = []
    embedding_model: str
    calibration: Calibration

    def task(self) -> Task:
        """What the engine has to do."""
        return Task(
            diarize=self.diarize,
            voices=[self.embedding_model] if self.known else [],
            transcribe=True,
            translate=self.translate,
            diarization_model=self.diarization_model,
            transcription_model=self.transcription_model,
            language=self.language,
            vocabulary=self.vocabulary,
            prompt=self.prompt,
        )

    def output(
        self, analysis: Analysis, remarks: list[str], known: list[KnownVoice]
    ) -> SpeechOutput:
        """All that any format of the answer shows; `known` are the voices of those named."""
        matches = identified(
            sorted({turn.speaker for turn in analysis.exclusive}),
            analysis.voices,
            known,
            {self.embedding_model: self.calibration},
            threshold=0.0,
            exclusive=True,
        )
        names = {match.speaker: match.match for match in matches if match.match is not None}
        return speech_output(analysis, names, remarks)


class IdentifyWork(msgspec.Struct, frozen=True, kw_only=True, tag="identify"):
    """`POST /v1/identify`. `calibrations`: of each embedding model that made a voiceprint."""

    kind: ClassVar[JobKind] = JobKind.IDENTIFY

    request: IdentifyRequest
    diarization_model: str
    calibrations: dict[str, Calibration]

    @property
    def separate_channels(self) -> bool:
        return self.request.channels == "separate"

    def task(self) -> Task:
        """What the engine has to do."""
        task = diarization_task(self.request, self.diarization_model)
        return msgspec.structs.replace(task, voices=sorted(self.calibrations))

    def output(self, analysis: Analysis, remarks: list[str]) -> IdentificationOutput:
        """What the client gets, with the `remarks` of fetching and decoding as warnings."""
        matching = self.request.matching
        matches = identified(
            sorted({turn.speaker for turn in (*analysis.turns, *analysis.exclusive)}),
            analysis.voices,
            self._known(),
            self.calibrations,
            threshold=matching.threshold,
            exclusive=matching.exclusive,
        )
        return identification_output(self.request, analysis, matches, remarks)

    def _known(self) -> list[KnownVoice]:
        prints = [(each.label, read_sealed(each.voiceprint)) for each in self.request.voiceprints]
        return [KnownVoice(label, print_.model.id, print_.vector) for label, print_ in prints]


class VoiceprintWork(msgspec.Struct, frozen=True, kw_only=True, tag="voiceprint"):
    """`POST /v1/voiceprint`. `embedding_model` makes the print."""

    kind: ClassVar[JobKind] = JobKind.VOICEPRINT
    separate_channels: ClassVar[bool] = False

    request: VoiceprintRequest
    diarization_model: str
    embedding_model: str

    def task(self) -> Task:
        """What the engine has to do."""
        return Task(diarization_model=self.diarization_model, voices=[self.embedding_model])

    def output(self, analysis: Analysis, remarks: list[str], key: bytes) -> VoiceprintOutput:
        """What the client gets; the print is made under `key`, the installation's.

        Raises:
            SeveralSpeakers, TooLittleSpeech: the job fails.
        """
        vector = voice_of_one(analysis, self.embedding_model)
        print_ = Voiceprint(analysis.engine["embedding"], vector)
        return VoiceprintOutput(
            voiceprint=seal(print_, key),
            consent_ref=self.request.consent_ref,
            warning=" ".join([*analysis.warnings, *remarks]) or None,
        )


Work: TypeAlias = DiarizeWork | IdentifyWork | VoiceprintWork | TranscribeWork
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
