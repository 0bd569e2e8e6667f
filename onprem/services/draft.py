"""From a sound request to work: which models run, and what the client is told about that."""

from typing import NamedTuple

from onprem.core.openai.known_speakers import KnownSpeaker, known_speakers
from onprem.core.openai.requests import (
    LONGEST_PROMPT,
    ResponseFormat,
    SpeechRequest,
    TranscriptionRequest,
)
from onprem.core.requests import DiarizeRequest
from onprem.core.work import DiarizeWork, TranscribeWork, Work
from onprem.engine.catalogue import UNCALIBRATED, calibration_of, embedding_of
from onprem.faults import Fault
from onprem.services.model_choice import Choice, ModelChoice


class Draft(NamedTuple):
    """`work` is None exactly when there are `faults`."""

    work: Work | None
    faults: list[Fault]
    warnings: list[str]


def diarize(request: DiarizeRequest, models: ModelChoice) -> Draft:
    """`POST /v1/diarize`."""
    choices = [models.diarization(request.model)]
    if request.transcription:
        choices.append(models.transcription(request.transcription_config.model))
    faults, chosen = sorted_out(choices)
    if faults:
        return Draft(None, faults, [])
    work = DiarizeWork(
        request=request,
        diarization_model=chosen[0].model,
        transcription_model=chosen[1].model if request.transcription else None,
    )
    return Draft(work, [], warnings_of(chosen))


def speech(request: SpeechRequest, models: ModelChoice) -> Draft:
    """`POST /v1/audio/transcriptions` and `/translations`."""
    whisper = models.translation if request.translate else models.speech
    faults, chosen = sorted_out([models.diarization(None), whisper(request.model)])
    if faults:
        return Draft(None, faults, [])
    asked = request if isinstance(request, TranscriptionRequest) else None
    known: list[KnownSpeaker] = []
    if asked is not None:
        known, faults = known_speakers(asked.known_speaker_names, asked.known_speaker_references)
    if faults:
        return Draft(None, faults, [])
    embedding = embedding_of(chosen[0].model)
    work = TranscribeWork(
        diarize=asked is not None and asked.response_format is ResponseFormat.DIARIZED_JSON,
        translate=request.translate,
        diarization_model=chosen[0].model,
        transcription_model=chosen[1].model,
        language=asked.spoken_language if asked else None,
        vocabulary=asked.keywords if asked else [],
        prompt=request.prompt[-LONGEST_PROMPT:] if request.prompt else None,
        known=known,
        embedding_model=embedding,
        calibration=calibration_of(embedding) or UNCALIBRATED,
    )
    return Draft(work, [], [*warnings_of(chosen), *request.remarks()])


def sorted_out(choices: list[Choice | Fault]) -> tuple[list[Fault], list[Choice]]:
    faults = [choice for choice in choices if isinstance(choice, Fault)]
    return faults, [choice for choice in choices if isinstance(choice, Choice)]


def warnings_of(choices: list[Choice]) -> list[str]:
    return [choice.warning for choice in choices if choice.warning]
