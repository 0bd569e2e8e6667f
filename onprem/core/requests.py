"""What a client may ask for: bodies of the pyannoteAI contract, and rules between fields."""

import re
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from onprem.core.formats.kind import OutputFormat
from onprem.core.retention import OUTPUT_CEILING
from onprem.faults import Fault

MEDIA_SCHEME = "media://"
_MEDIA_URL = re.compile(r"^media://[a-zA-Z0-9\-_./]+$")
_MEDIA_URL_LENGTH = 255

SpeakerCount = Annotated[int, Meta(ge=1, le=100)]
Sensitivity = Annotated[float, Meta(ge=-5, le=5)]
Language = Annotated[str, Meta(pattern="^[a-z]{2,3}$")]
Prompt = Annotated[str, Meta(max_length=2000)]
VocabularyEntry = Annotated[str, Meta(min_length=1, max_length=100)]


class Body(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """Base of request bodies. Null means absent; unknown fields are named in a warning."""


class MediaRequest(Body, frozen=True):
    """`POST /v1/media/input`."""

    url: Annotated[
        str,
        Meta(
            # Judged by `media_key`, whose refusal is in the contract's words.
            extra_json_schema={"pattern": _MEDIA_URL.pattern, "maxLength": _MEDIA_URL_LENGTH},
            description="`media://` and a name of letters, digits, `-`, `_`, `.` and `/`.",
        ),
    ]


class Deliver(Body, frozen=True):
    """Where the server puts the output: a presigned PUT, in one of the output formats."""

    url: Annotated[str, Meta(description="A presigned URL that takes one PUT.")]
    format: Annotated[OutputFormat, Meta(description="What is put there.")] = OutputFormat.JSON


class JobRequest(Body, frozen=True):
    """What every request for a job can hold."""

    url: Annotated[
        str,
        Meta(
            description="`media://…`, or an `http(s)` address that this server fetches when the "
            "job runs."
        ),
    ]
    model: Annotated[
        str | None,
        Meta(
            description="An installed model, an alias, or a hosted name; `models.diarization` "
            "where absent."
        ),
    ] = None
    webhook: Annotated[
        str | None, Meta(description="Where the result is sent when the job has ended (https).")
    ] = None
    webhook_status_only: Annotated[
        bool, Meta(description="Send the webhook without the output.")
    ] = False
    deliver: Annotated[
        Deliver | None,
        Meta(description="Put the output into a store of yours (not in the contract)."),
    ] = None
    output_retention: Annotated[
        Annotated[int, Meta(ge=0, le=OUTPUT_CEILING)] | None,
        Meta(
            description="Seconds that the output lives, where that is shorter than elsewhere; 0: "
            "until a minute after its delivery (not in the contract)."
        ),
    ] = None

    def faults(self) -> list[Fault]:
        """Faults between fields; URLs are checked where it is known what may be fetched."""
        return []


class TranscriptionConfig(Body, frozen=True):
    """How to transcribe. All but `model` is not in the contract."""

    model: Annotated[
        str | None,
        Meta(
            description="An installed model, an alias, or a hosted name; `models.transcription` "
            "where absent."
        ),
    ] = None
    language: Annotated[
        Language | None,
        Meta(description="ISO 639 code such as `de`; found by the model where absent."),
    ] = None
    vocabulary: Annotated[
        list[VocabularyEntry], Meta(max_length=500, description="Names and terms to expect.")
    ] = []
    prompt: Annotated[Prompt | None, Meta(description="A text in the style that is wanted.")] = None


class DiarizationRequest(JobRequest, frozen=True):
    """What diarization and identification have in common."""

    num_speakers: Annotated[
        SpeakerCount | None, Meta(description="Exactly so many; stands above the next two.")
    ] = None
    min_speakers: Annotated[SpeakerCount | None, Meta(description="At least so many.")] = None
    max_speakers: Annotated[SpeakerCount | None, Meta(description="At most so many.")] = None
    turn_level_confidence: Annotated[bool, Meta(description="Add a `confidence` to each turn.")] = (
        False
    )
    exclusive: Annotated[
        bool, Meta(description="Add `exclusiveDiarization`: one speaker at a time.")
    ] = False
    confidence: Annotated[
        bool, Meta(description="Add `confidence`, one score for each moment.")
    ] = False
    speech_probability: Annotated[
        bool, Meta(description="Add `speechProbability`: that somebody speaks, for each moment.")
    ] = False
    crosstalk_probability: Annotated[
        bool, Meta(description="Add `crosstalkProbability`: that several speak at once.")
    ] = False
    speaker_probability: Annotated[
        bool, Meta(description="Add `speakerProbability`: that each speaker speaks.")
    ] = False
    vad_sensitivity: Annotated[
        Sensitivity, Meta(description="Higher finds more speech, and takes more noise for it.")
    ] = 0.0
    crosstalk_sensitivity: Annotated[
        Sensitivity, Meta(description="Higher finds more crosstalk, and more that is none.")
    ] = 0.0
    channels: Annotated[
        Literal["mix", "separate"],
        Meta(
            description="`separate` hears each channel alone and gives turns a `channel` (not in "
            "the contract)."
        ),
    ] = "mix"

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

    transcription: Annotated[
        bool, Meta(description="Add `wordLevelTranscription` and `turnLevelTranscription`.")
    ] = False
    transcription_config: Annotated[TranscriptionConfig, Meta(description="How to transcribe.")] = (
        TranscriptionConfig()
    )


def media_key(url: str) -> str | None:
    """The object key of a `media://` URL; None where the contract forbids the URL."""
    if len(url) > _MEDIA_URL_LENGTH or _MEDIA_URL.fullmatch(url) is None:
        return None
    return url.removeprefix(MEDIA_SCHEME)
