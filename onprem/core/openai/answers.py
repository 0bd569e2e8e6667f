"""The bodies of answers, and the events of a streamed one. Times in seconds."""

from typing import Literal

import msgspec

from onprem.core.openai.names import language_name, speaker_labels
from onprem.core.openai.output import SpeechOutput
from onprem.core.openai.requests import SpeechRequest, TranscriptionRequest


class Usage(msgspec.Struct, frozen=True, tag_field="type", tag="duration"):
    """Whole seconds of audio, rounded up."""

    seconds: int


class Transcription(msgspec.Struct, frozen=True, omit_defaults=True):
    """`json`. A translation has no usage."""

    text: str
    usage: Usage | None = None


class TimedWord(msgspec.Struct, frozen=True):
    word: str
    start: float
    end: float


class TimedSegment(msgspec.Struct, frozen=True):
    """What the model wrote in one piece, with its own figures."""

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


class VerboseTranscription(msgspec.Struct, frozen=True, omit_defaults=True):
    """`verbose_json`. `language` by its English name, that of the text."""

    task: Literal["transcribe", "translate"]
    language: str
    duration: float
    text: str
    segments: list[TimedSegment] | None = None
    words: list[TimedWord] | None = None
    usage: Usage | None = None


class DiarizedSegment(msgspec.Struct, frozen=True, tag_field="type", tag="transcript.text.segment"):
    """Consecutive words of one speaker; also an event of a streamed answer."""

    id: str
    start: float
    end: float
    speaker: str
    text: str


class DiarizedTranscription(msgspec.Struct, frozen=True):
    """`diarized_json`."""

    task: Literal["transcribe"]
    duration: float
    text: str
    segments: list[DiarizedSegment]
    usage: Usage


class TextDelta(msgspec.Struct, frozen=True, tag_field="type", tag="transcript.text.delta"):
    """The next words."""

    delta: str


class TextDone(msgspec.Struct, frozen=True, tag_field="type", tag="transcript.text.done"):
    """The last event: all of the text."""

    text: str


def verbose(request: SpeechRequest, output: SpeechOutput, seconds: float) -> VerboseTranscription:
    """A translation's segments always, else what the request asked for."""
    wanted = request.granularities if isinstance(request, TranscriptionRequest) else ["segment"]
    segments = words = None
    if "segment" in wanted:
        segments = [
            TimedSegment(*(getattr(segment, name) for name in TimedSegment.__struct_fields__))
            for segment in output.segments
        ]
    if "word" in wanted:
        words = [
            TimedWord(word.text, word.start, word.end) for word in output.word_level_transcription
        ]
    return VerboseTranscription(
        task="translate" if request.translate else "transcribe",
        language="english" if request.translate else language_name(output.language),
        duration=seconds,
        text=output.text,
        segments=segments,
        words=words,
        usage=usage(seconds),
    )


def diarized(output: SpeechOutput, seconds: float) -> DiarizedTranscription:
    segments = diarized_segments(output)
    return DiarizedTranscription("transcribe", seconds, output.text, segments, usage(seconds))


def diarized_segments(output: SpeechOutput) -> list[DiarizedSegment]:
    turns = output.turn_level_transcription
    strangers = (turn.speaker for turn in turns if turn.speaker not in output.names)
    labels = speaker_labels(strangers) | output.names
    return [
        DiarizedSegment(f"seg_{number}", turn.start, turn.end, labels[turn.speaker], turn.text)
        for number, turn in enumerate(turns)
    ]


def usage(seconds: float) -> Usage:
    return Usage(-int(-seconds // 1))
