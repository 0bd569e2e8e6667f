"""What a recording says: turns, words and scores. All times are seconds from its start."""

import msgspec


class Turn(msgspec.Struct, frozen=True, omit_defaults=True):
    """One speaker speaks without a break. `confidence` maps speakers to 0..100.

    `channel` is there when the channels were taken apart; the first one is 0.
    """

    speaker: str
    start: float
    end: float
    confidence: dict[str, int] | None = None
    channel: int | None = None


class Word(msgspec.Struct, frozen=True, omit_defaults=True):
    """One word as the transcription model timed it; `text` keeps its leading space."""

    start: float
    end: float
    text: str
    channel: int | None = None


class SpokenWord(msgspec.Struct, frozen=True, omit_defaults=True):
    """A word with the speaker whose exclusive turn it lies in."""

    start: float
    end: float
    text: str
    speaker: str
    channel: int | None = None


class Segment(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What the transcription model wrote in one piece, with the model's own figures.

    `id` counts from 0. `seek`: hundredths of a second at which the model's window began. The
    times among `tokens` are relative to that. `start` and `end` are those of its words.
    """

    id: int
    seek: int
    start: float
    end: float
    text: str
    tokens: list[int]
    temperature: float
    avg_logprob: float
    compression_ratio: float
    no_speech_prob: float
    channel: int | None = None


class FrameScores(msgspec.Struct, frozen=True):
    """One score (0..100) every `resolution` seconds, from the recording's start."""

    score: list[int]
    resolution: float


class SpeakerScores(msgspec.Struct, frozen=True):
    """As `FrameScores`, for each speaker on the same frames."""

    score: dict[str, list[int]]
    resolution: float


class ModelRef(msgspec.Struct, frozen=True):
    """A model by its catalogue id and the SHA-256 of its manifest, so a result can be redone."""

    id: str
    digest: str


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine shall do with one recording (of one channel).

    `diarize`: without it, only speech is looked for, and all of it is one speaker's.
    `vad_sensitivity`, `crosstalk_sensitivity`: -5..5, 0 is the models' own; more finds more.
    `voices`: embedding models for which a vector of every speaker is wanted.
    `translate`: into English; `language` is the one spoken, in ISO 639-1, or None to find it.
    `vocabulary`, `prompt`: words that may come up, and text as if it had just been said.
    """

    num_speakers: int | None = None
    min_speakers: int | None = None
    max_speakers: int | None = None
    diarize: bool = True
    confidence: bool = False
    turn_confidence: bool = False
    speech_probability: bool = False
    crosstalk_probability: bool = False
    speaker_probability: bool = False
    vad_sensitivity: float = 0.0
    crosstalk_sensitivity: float = 0.0
    voices: list[str] = []
    transcribe: bool = False
    translate: bool = False
    diarization_model: str
    transcription_model: str | None = None
    language: str | None = None
    vocabulary: list[str] = []
    prompt: str | None = None


class Analysis(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine found.

    `turns` may overlap; `exclusive` are the same turns with one speaker at a time, on each
    channel. Scores are None unless they were asked for, and so are `words` and `segments`.
    `voices` maps an embedding model to each speaker's vector of length 1; a speaker who was too
    short to be embedded is missing. `engine` names the models that made it.
    """

    turns: list[Turn]
    exclusive: list[Turn]
    confidence: FrameScores | None = None
    speech_probability: FrameScores | None = None
    crosstalk_probability: FrameScores | None = None
    speaker_probability: SpeakerScores | None = None
    voices: dict[str, dict[str, list[float]]] = {}
    words: list[Word] | None = None
    segments: list[Segment] | None = None
    language: str | None = None
    warnings: list[str] = []
    engine: dict[str, ModelRef]
