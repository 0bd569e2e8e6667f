"""What a recording says: turns, words and scores. All times are seconds from its start."""

import msgspec


class Turn(msgspec.Struct, frozen=True, omit_defaults=True):
    """One speaker speaks without a break. `confidence` maps speakers to 0..100."""

    speaker: str
    start: float
    end: float
    confidence: dict[str, int] | None = None


class Word(msgspec.Struct, frozen=True):
    """One word as the transcription model timed it; `text` keeps its leading space."""

    start: float
    end: float
    text: str


class SpokenWord(msgspec.Struct, frozen=True):
    """A word with the speaker whose exclusive turn it lies in."""

    start: float
    end: float
    text: str
    speaker: str


class FrameScores(msgspec.Struct, frozen=True):
    """One score (0..100) every `resolution` seconds, from the recording's start."""

    score: list[int]
    resolution: float


class ModelRef(msgspec.Struct, frozen=True):
    """A model by its catalogue id and the SHA-256 of its manifest, so a result can be redone."""

    id: str
    digest: str


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine shall do with one recording."""

    num_speakers: int | None = None
    min_speakers: int | None = None
    max_speakers: int | None = None
    confidence: bool = False
    turn_confidence: bool = False
    transcribe: bool = False
    diarization_model: str
    transcription_model: str | None = None
    language: str | None = None


class Analysis(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine found.

    `turns` may overlap; `exclusive` are the same turns with one speaker at a time. `words` is
    None unless transcription was asked for. `engine` names the models that made it.
    """

    turns: list[Turn]
    exclusive: list[Turn]
    confidence: FrameScores | None = None
    words: list[Word] | None = None
    language: str | None = None
    warnings: list[str] = []
    engine: dict[str, ModelRef]
