"""Channels that were analysed alone, side by side again: one timeline, one set of speakers."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Protocol, TypeVar

from msgspec.structs import replace

from onprem.core.speech import Analysis, FrameScores, SpeakerScores, Turn


class _Timed(Protocol):
    @property
    def start(self) -> float: ...


T = TypeVar("T", bound=_Timed)
V = TypeVar("V")

Labels = dict[str, str]
"""A speaker's label on a channel: the label in the whole recording."""


def side_by_side(channels: Sequence[Analysis | None]) -> Analysis:
    """One analysis of a recording whose channels were analysed one by one; None: a silent one.

    At least one channel is not silent. Speakers are numbered anew, in the order in which they
    first speak on any channel: nobody is taken to be the same person as on another channel. Turns,
    words and segments are in the order of their start and say their channel. Scores become one
    for each moment: `confidence` that of the least certain channel, the probabilities of speech
    and crosstalk those of the channel with the highest (speakers on different channels are no
    crosstalk). `language` is that of the channel with the most words.
    """
    labels = _labels(channels)
    heard = [_placed(index, found, labels[index]) for index, found in enumerate(channels) if found]
    wordiest = max(heard, key=lambda found: len(found.words or []))
    segments = _in_time(found.segments for found in heard)
    return Analysis(
        turns=_in_time(found.turns for found in heard) or [],
        exclusive=_in_time(found.exclusive for found in heard) or [],
        confidence=_each_moment(min, (found.confidence for found in heard)),
        speech_probability=_each_moment(max, (found.speech_probability for found in heard)),
        crosstalk_probability=_each_moment(max, (found.crosstalk_probability for found in heard)),
        speaker_probability=_all_speakers(found.speaker_probability for found in heard),
        voices=_all_voices(found.voices for found in heard),
        words=_in_time(found.words for found in heard),
        segments=segments and [replace(one, id=number) for number, one in enumerate(segments)],
        language=wordiest.language,
        warnings=_warnings(channels),
        engine={part: model for found in heard for part, model in found.engine.items()},
    )


def _labels(channels: Sequence[Analysis | None]) -> list[Labels]:
    appearances = sorted(
        (start, index, speaker)
        for index, found in enumerate(channels)
        if found
        for start, speaker in _appearances(found)
    )
    labels: list[Labels] = [{} for _ in channels]
    for _, index, speaker in appearances:
        labels[index].setdefault(speaker, f"SPEAKER_{sum(map(len, labels)):02}")
    return labels


def _appearances(found: Analysis) -> Iterator[tuple[float, str]]:
    """When each speaker begins to speak; those who have scores or a voice but no turn, last."""
    for turn in (*found.turns, *found.exclusive):
        yield turn.start, turn.speaker
        for speaker in turn.confidence or ():
            yield math.inf, speaker
    scored = found.speaker_probability.score if found.speaker_probability else {}
    voices = (speaker for vectors in found.voices.values() for speaker in vectors)
    for speaker in (*scored, *voices):
        yield math.inf, speaker


def _placed(index: int, found: Analysis, labels: Labels) -> Analysis:
    """The same with the recording's labels, and the channel at all that can say it."""

    def relabelled(turns: Iterable[Turn]) -> list[Turn]:
        return [
            replace(
                turn,
                speaker=labels[turn.speaker],
                confidence=turn.confidence and _keyed(turn.confidence, labels),
                channel=index,
            )
            for turn in turns
        ]

    scores = found.speaker_probability
    return replace(
        found,
        turns=relabelled(found.turns),
        exclusive=relabelled(found.exclusive),
        speaker_probability=scores and replace(scores, score=_keyed(scores.score, labels)),
        voices={model: _keyed(vectors, labels) for model, vectors in found.voices.items()},
        words=found.words and [replace(word, channel=index) for word in found.words],
        segments=found.segments and [replace(one, channel=index) for one in found.segments],
    )


def _keyed(by_speaker: dict[str, V], labels: Labels) -> dict[str, V]:
    return {labels[speaker]: value for speaker, value in by_speaker.items()}


def _in_time(lists: Iterable[list[T] | None]) -> list[T] | None:
    """All of them by their start, on a channel in the order in which they were; None: no lists."""
    there = [one for one in lists if one is not None]
    if not there:
        return None
    return sorted((item for one in there for item in one), key=lambda item: item.start)


def _each_moment(
    choose: Callable[[Iterable[int]], int], scores: Iterable[FrameScores | None]
) -> FrameScores | None:
    there = [one for one in scores if one is not None]
    if not there:
        return None
    moments = zip_longest(*(one.score for one in there))
    chosen = [choose(score for score in moment if score is not None) for moment in moments]
    return FrameScores(chosen, there[0].resolution)


def _all_speakers(scores: Iterable[SpeakerScores | None]) -> SpeakerScores | None:
    there = [one for one in scores if one is not None]
    if not there:
        return None
    by_speaker = {speaker: score for one in there for speaker, score in one.score.items()}
    return SpeakerScores(by_speaker, there[0].resolution)


def _all_voices(
    voices: Iterable[dict[str, dict[str, list[float]]]],
) -> dict[str, dict[str, list[float]]]:
    merged: dict[str, dict[str, list[float]]] = {}
    for by_model in voices:
        for model, vectors in by_model.items():
            merged.setdefault(model, {}).update(vectors)
    return merged


def _warnings(channels: Sequence[Analysis | None]) -> list[str]:
    """Each warning once, with the channels that it is about unless it is about all."""
    about: dict[str, list[int]] = {}
    for index, found in enumerate(channels):
        for warning in found.warnings if found else ():
            about.setdefault(warning, []).append(index)
    return [
        warning
        if len(indexes) == len(channels)
        else f"Channel {', '.join(map(str, indexes))}: {warning}"
        for warning, indexes in about.items()
    ]
