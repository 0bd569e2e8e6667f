"""Words meet turns: who said which word, and what was said in which turn."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from onprem.core.speech import SpokenWord, Turn, Word

JOIN_GAP_SECONDS = 1.0
"""A pause longer than this ends a transcribed turn, though the speaker stays the same."""


class TranscribedTurn(SpokenWord, frozen=True, omit_defaults=True):
    """Consecutive words of one speaker, joined to one text."""


def assign_speakers(words: Sequence[Word], exclusive: Sequence[Turn]) -> list[SpokenWord]:
    """Label each word with the speaker of the exclusive turn that it overlaps most.

    Only turns of the word's own channel count. A word that lies in no turn goes to the nearest
    one. `exclusive` may come in any order; on one channel its turns must not overlap (they come
    from exclusive diarization), and a channel without turns has no words.
    """
    turns: dict[int | None, list[Turn]] = {}
    for turn in sorted(exclusive, key=lambda turn: turn.start):
        turns.setdefault(turn.channel, []).append(turn)
    ends = {channel: [turn.end for turn in ordered] for channel, ordered in turns.items()}
    return [
        SpokenWord(
            word.start,
            word.end,
            word.text,
            _speaker_of(word, turns[word.channel], ends[word.channel]),
            word.channel,
        )
        for word in words
        if word.channel in turns
    ]


def _speaker_of(word: Word, turns: Sequence[Turn], ends: Sequence[float]) -> str:
    first = max(0, bisect_left(ends, word.start) - 1)
    best = turns[min(first, len(turns) - 1)]
    best_overlap = _overlap(word, best)
    for index in range(first + 1, len(turns)):  # a slice would copy all that follow, per word
        turn = turns[index]
        overlap = _overlap(word, turn)
        if overlap > best_overlap:
            best, best_overlap = turn, overlap
        if turn.start >= word.end:
            break
    return best.speaker


def _overlap(word: Word, turn: Turn) -> float:
    """Shared seconds; negative: the distance in seconds between the two."""
    return min(word.end, turn.end) - max(word.start, turn.start)


def join_turns(words: Sequence[SpokenWord]) -> list[TranscribedTurn]:
    """Join neighbouring words of one speaker to one text each, in the order of their start.

    Words of another channel do not come between: who speaks at the same time interrupts nobody.
    """
    channels: dict[int | None, list[SpokenWord]] = {}
    for word in words:
        channels.setdefault(word.channel, []).append(word)
    joined = [turn for spoken in channels.values() for turn in _joined(spoken)]
    return sorted(joined, key=lambda turn: turn.start)


def _joined(words: Sequence[SpokenWord]) -> Iterator[TranscribedTurn]:
    group: list[SpokenWord] = []
    for word in words:
        if group and (
            word.speaker != group[-1].speaker or word.start - group[-1].end > JOIN_GAP_SECONDS
        ):
            yield _join(group)
            group = []
        group.append(word)
    if group:
        yield _join(group)


def _join(group: Sequence[SpokenWord]) -> TranscribedTurn:
    text = "".join(word.text for word in group).strip()
    first, last = group[0], group[-1]
    return TranscribedTurn(first.start, last.end, text, first.speaker, first.channel)
