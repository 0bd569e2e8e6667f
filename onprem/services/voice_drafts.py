"""Work about voices: identification and voiceprints, drafted from sound requests."""

from onprem.core.identification import Calibration
from onprem.core.voice_requests import IdentifyRequest, VoiceprintRequest
from onprem.core.voiceprint import Voiceprint
from onprem.core.work import IdentifyWork, VoiceprintWork
from onprem.engine.catalogue import UNCALIBRATED, calibration_of, embedding_of
from onprem.faults import Fault
from onprem.services.draft import Draft
from onprem.services.model_choice import ModelChoice
from onprem.services.voiceprints import Voiceprints


def voiceprint(request: VoiceprintRequest, models: ModelChoice) -> Draft:
    """`POST /v1/voiceprint`."""
    choice = models.diarization(request.model)
    if isinstance(choice, Fault):
        return Draft(None, [choice], [])
    work = VoiceprintWork(
        request=request,
        diarization_model=choice.model,
        embedding_model=embedding_of(choice.model),
    )
    return Draft(work, [], [choice.warning] if choice.warning else [])


def identify(request: IdentifyRequest, models: ModelChoice, voiceprints: Voiceprints) -> Draft:
    """`POST /v1/identify`."""
    choice = models.diarization(request.model)
    if isinstance(choice, Fault):
        return Draft(None, [choice], [])
    ours = embedding_of(choice.model)
    opened = [
        voiceprints.opened(f"voiceprints[{index}].voiceprint", each.voiceprint, ours)
        for index, each in enumerate(request.voiceprints)
    ]
    faults = [each for each in opened if isinstance(each, Fault)]
    if faults:
        return Draft(None, faults, [])
    embeddings = {each.model.id for each in opened if isinstance(each, Voiceprint)}
    calibrations, warnings = _calibrated(embeddings)
    work = IdentifyWork(request=request, diarization_model=choice.model, calibrations=calibrations)
    return Draft(work, [], [choice.warning, *warnings] if choice.warning else warnings)


def _calibrated(embeddings: set[str]) -> tuple[dict[str, Calibration], list[str]]:
    calibrations, warnings = {}, []
    for embedding in sorted(embeddings):
        measured = calibration_of(embedding)
        calibrations[embedding] = measured or UNCALIBRATED
        if measured is None:
            warnings.append(
                f"Scores of {embedding} were never measured here: choose matching.threshold by"
                " recordings of your own."
            )
    return calibrations, warnings
