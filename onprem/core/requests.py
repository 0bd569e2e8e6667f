"""What a client may ask for: bodies of the pyannoteAI contract, and rules between fields."""

import re
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from onprem.core.formats.kind import OutputFormat
from onprem.faults import Fault

MEDIA_SCHEME = "media://"
_MEDIA_URL = re.compile(r"media://[a-zA-Z0-9\-_./]+")
_MEDIA_URL_LENGTH = 255

SpeakerCount = Annotated[int, Meta(ge=1, le=100)]
Sensitivity = Annotated[float, Meta(ge=-5, le=5)]
VocabularyEntry = Annotated[str, Meta(min_length=1, max_length=100)]


class Body(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """Base of request bodies. Null means absent; unknown fields are named in a warning."""


class MediaRequest(Body, frozen=True):
    """`POST /v1/media/input`."""

    url: str


class Deliver(Body, frozen=True):
    """Where the server puts the output: a presigned PUT, in one of the output formats."""

    url: str
    format: OutputFormat = OutputFormat.JSON


class JobRequest(Body, frozen=True):
    """What every request for a job can hold."""

    url: str
    model: str | None = None
    webhook: str | None = None
    webhook_status_only: bool = False
    deliver: Deliver | None = None

    def faults(self) -> list[Fault]:
        """Faults between fields; URLs are checked where it is known what may be fetched."""
        return []


class TranscriptionConfig(Body, frozen=True):
    """How to transcribe; `language` is an ISO 639-1 code, found by the model where absent."""

    model: str | None = None
    language: Annotated[str, Meta(pattern="^[a-z]{2,3}$")] | None = None
    vocabulary: Annotated[list[VocabularyEntry], Meta(max_length=500)] = []
    prompt: Annotated[str, Meta(max_length=2000)] | None = None


class DiarizationRequest(JobRequest, frozen=True):
    """What diarization and identification have in common."""

    num_speakers: SpeakerCount | None = None
    min_speakers: SpeakerCount | None = None
    max_speakers: SpeakerCount | None = None
    turn_level_confidence: bool = False
    exclusive: bool = False
    confidence: bool = False
    speech_probability: bool = False
    crosstalk_probability: bool = False
    speaker_probability: bool = False
    vad_sensitivity: Sensitivity = 0.0
    crosstalk_sensitivity: Sensitivity = 0.0
    channels: Literal["mix", "separate"] = "mix"

    def faults(self) -> list[Fault]:
        if (
            self.num_speakers is None
            and self.min_speakers is not None
            and self.max_speakers is not None
            and self.min_speakers > self.max_speakers
        ):
            return [Fault("minSpeakers", "Must not be greater than maxSpeakers")]
        return []


class DiarizeRequest(DiarizationRequest, frozen=True):
    """`POST /v1/diarize`."""

    transcription: bool = False
    transcription_config: TranscriptionConfig = TranscriptionConfig()


def media_key(url: str) -> str | None:
    """The object key of a `media://` URL; None where the contract forbids the URL."""
    if len(url) > _MEDIA_URL_LENGTH or _MEDIA_URL.fullmatch(url) is None:
        return None
    return url.removeprefix(MEDIA_SCHEME)
