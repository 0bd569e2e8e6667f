"""The one door through which pyannote comes in: offline, without CUDA, without noise.

Other modules of the engine import pyannote's classes from here and from nowhere else, so that what
must happen before its import has happened. Importing this module takes about 7 s.
"""

import warnings

from onprem.engine.clustering import linkage_without_lock
from onprem.engine.offline import assert_offline, switch_off
from onprem.engine.torchaudio_without_cuda import import_torchaudio
from onprem.engine.urllib3_without_bind import import_urllib3
from onprem.errors import TelemetryEnabled

switch_off()
import_urllib3()
import_torchaudio()

with warnings.catch_warnings():
    # pyannote misses the FFmpeg libraries of torchcodec; it always gets samples from us.
    warnings.filterwarnings("ignore", message=r"\s*torchcodec is not installed correctly")
    import huggingface_hub.constants
    from faster_whisper import WhisperModel
    from pyannote.audio import Audio, Inference, Model
    from pyannote.audio.core.plda import PLDA
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from pyannote.audio.pipelines import SpeakerDiarization, clustering
    from pyannote.audio.pipelines.speaker_verification import PretrainedSpeakerEmbedding
    from pyannote.audio.telemetry import metrics
    from pyannote.audio.utils.powerset import Powerset
    from torchaudio.compliance.kaldi import fbank

__all__ = [
    "PLDA",
    "Audio",
    "Inference",
    "Model",
    "Powerset",
    "PretrainedSpeakerEmbedding",
    "Problem",
    "Resolution",
    "SpeakerDiarization",
    "Specifications",
    "WhisperModel",
    "assert_silent",
    "clustering",
    "fbank",
    "metrics",
]

# Both of pyannote's clusterings call `linkage` by its name in their module. It is replaced for good
# rather than for each call, since two threads may cluster at once.
clustering.linkage = linkage_without_lock


def assert_silent() -> None:
    """Raise `TelemetryEnabled` unless the libraries themselves say that they are offline."""
    assert_offline()
    if metrics.is_metrics_enabled():
        raise TelemetryEnabled(what="pyannote.audio's metrics")
    if not huggingface_hub.constants.HF_HUB_OFFLINE:
        raise TelemetryEnabled(what="huggingface_hub")


metrics.provider.shutdown()  # ends the thread that waits to send; nothing ever reached it
assert_silent()
