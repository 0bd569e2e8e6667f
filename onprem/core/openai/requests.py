"""What a client asks for: the fields of the forms, and rules between them."""

import enum
from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, Literal, TypeVar

import msgspec
from msgspec import Meta

from onprem.core.fieldwise import Conversion, convert_fields
from onprem.core.requests import Language, VocabularyEntry
from onprem.faults import Fault

LONGEST_PROMPT = 2000
MOST_KNOWN_SPEAKERS = 4


class ResponseFormat(enum.StrEnum):
    """What the answer looks like."""

    JSON = "json"
    TEXT = "text"
    SRT = "srt"
    VERBOSE_JSON = "verbose_json"
    VTT = "vtt"
    DIARIZED_JSON = "diarized_json"


STREAMED = (ResponseFormat.JSON, ResponseFormat.TEXT, ResponseFormat.DIARIZED_JSON)
"""Formats that can come piece by piece."""


class SpeechRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What both calls take, besides the file."""

    translate: ClassVar[bool] = False

    model: Annotated[
        str,
        Meta(
            description="An installed transcription model, an alias, or a name of OpenAI's, which "
            "stands for `models.transcription`."
        ),
    ]
    prompt: Annotated[
        str | None, Meta(description="A text in the style that is wanted, or with terms to expect.")
    ] = None
    response_format: Annotated[ResponseFormat, Meta(description="What the answer looks like.")] = (
        ResponseFormat.JSON
    )
    temperature: Annotated[
        float, Meta(ge=0, le=1, description="Accepted without effect where it is not 0.")
    ] = 0.0

    def faults(self) -> list[Fault]:
        """Faults between fields."""
        return []

    def remarks(self) -> list[str]:
        """What is accepted without effect, as sentences."""
        return ["temperature has no effect."] if self.temperature else []


class TranscriptionRequest(SpeechRequest, frozen=True):
    """`POST /v1/audio/transcriptions`."""

    language: Annotated[
        Language | None,
        Meta(description="ISO 639-1 code such as `de`; found by the model where absent."),
    ] = None
    languages: Annotated[
        list[Language], Meta(description="One is taken as `language`, several are ignored.")
    ] = []
    keywords: Annotated[
        list[VocabularyEntry], Meta(max_length=500, description="Names and terms to expect.")
    ] = []
    timestamp_granularities: Annotated[
        list[Literal["word", "segment"]],
        Meta(description="What `verbose_json` holds; segments where absent."),
    ] = []
    stream: Annotated[bool, Meta(description="Send the text as it is heard.")] = False
    include: Annotated[list[Literal["logprobs"]], Meta(description="Refused.")] = []
    chunking_strategy: Annotated[
        Literal["auto", "server_vad"] | None, Meta(description="Accepted without effect.")
    ] = None
    known_speaker_names: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=100)]],
        Meta(max_length=MOST_KNOWN_SPEAKERS, description="Names for `diarized_json`."),
    ] = []
    known_speaker_references: Annotated[
        list[str],
        Meta(
            max_length=MOST_KNOWN_SPEAKERS,
            description="A `data:` URL for each name: 2 to 10 s of that voice.",
        ),
    ] = []

    @property
    def granularities(self) -> list[Literal["word", "segment"]]:
        return self.timestamp_granularities or ["segment"]

    @property
    def spoken_language(self) -> str | None:
        """`language`, or the only one of `languages`."""
        if self.language is None and len(self.languages) == 1:
            return self.languages[0]
        return self.language

    def faults(self) -> list[Fault]:
        found = []
        if self.include:
            found.append(Fault("include", "This server has no logprobs"))
        if self.timestamp_granularities and self.response_format is not ResponseFormat.VERBOSE_JSON:
            found.append(Fault("timestamp_granularities", "Only with verbose_json"))
        if self.stream and self.response_format not in STREAMED:
            found.append(Fault("stream", f"Only with {', '.join(STREAMED)}"))
        return found + self._faults_of_speakers()

    def _faults_of_speakers(self) -> list[Fault]:
        names, references = self.known_speaker_names, self.known_speaker_references
        if (names or references) and self.response_format is not ResponseFormat.DIARIZED_JSON:
            return [Fault("known_speaker_names", "Only with diarized_json")]
        if len(names) != len(references):
            return [Fault("known_speaker_references", "Expected one for each name")]
        if len(set(names)) != len(names):
            return [Fault("known_speaker_names", "Expected different names")]
        return []

    def remarks(self) -> list[str]:
        found = super().remarks()
        if self.language is None and len(self.languages) > 1:
            found.append("languages has no effect: the model finds the language.")
        return found


class TranslationRequest(SpeechRequest, frozen=True):
    """`POST /v1/audio/translations`: whatever is spoken, the text is English."""

    translate: ClassVar[bool] = True

    def faults(self) -> list[Fault]:
        if self.response_format is ResponseFormat.DIARIZED_JSON:
            return [Fault("response_format", "A translation has no speakers")]
        return []


R = TypeVar("R", bound=SpeechRequest)


def from_form(into: type[R], pairs: Iterable[tuple[str, str]]) -> Conversion[R]:
    """A form's fields as an `into`, or all their faults. An empty field counts as absent."""
    fields = {field.name: field for field in msgspec.structs.fields(into)}
    raw: dict[str, Any] = {}
    unknown, twice = set[str](), set[str]()
    for written, text in pairs:
        name = _name(written)
        if name not in fields:
            unknown.add(name)
        elif text and fields[name].default_factory is list:
            raw.setdefault(name, []).append(text)
        elif text and name in raw:
            twice.add(name)
        elif text:
            raw[name] = text
    made = convert_fields(into, raw, strict=False)
    faults = [*made.faults, *(Fault(name, "Expected once") for name in sorted(twice))]
    return Conversion(None if faults else made.value, faults, sorted(unknown), made.sound)


def _name(written: str) -> str:
    """Lists come as `name[]` or `name`, the one object as `name[type]` and other members."""
    name, _, member = written.partition("[")
    return name if member in ("", "]", "type]") else written
