"""Words meet turns: who said which word, and what was said in which turn."""

from bisect import bisect_left
from collections.abc import Sequence

from onprem.core.speech import SpokenWord, Turn, Word

JOIN_GAP_SECONDS = 1.0
"""A pause longer than this ends a transcribed turn, though the speaker stays the same."""


class TranscribedTurn(SpokenWord, frozen=True):
    """Consecutive words of one speaker, joined to one text."""


def assign_speakers(words: Sequence[Word], exclusive: Sequence[Turn]) -> list[SpokenWord]:
    """Label each word with the speaker of the exclusive turn that it overlaps most.

    A word that lies in no turn goes to the nearest one. `exclusive` must not overlap (it comes
    from exclusive diarization) and may come in any order; without turns there are no words.
    """
    turns = sorted(exclusive, key=lambda turn: turn.start)
    if not turns:
        return []
    ends = [turn.end for turn in turns]
    return [
        SpokenWord(word.start, word.end, word.text, _speaker_of(word, turns, ends))
        for word in words
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
    """Join neighbouring words of one speaker to one text each."""
    joined: list[TranscribedTurn] = []
    group: list[SpokenWord] = []
    for word in words:
        if group and (
            word.speaker != group[-1].speaker or word.start - group[-1].end > JOIN_GAP_SECONDS
        ):
            joined.append(_join(group))
            group = []
        group.append(word)
    if group:
        joined.append(_join(group))
    return joined


def _join(group: Sequence[SpokenWord]) -> TranscribedTurn:
    text = "".join(word.text for word in group).strip()
    return TranscribedTurn(group[0].start, group[-1].end, text, group[0].speaker)
