"""Subtitle cues: what was said, cut into portions that can be read."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest

import msgspec

from onprem.core.timed_text import Piece, width
from onprem.core.transcript import Said

LINE_COLUMNS = 42
LONGEST_SECONDS = 7.0
PAUSE_SECONDS = 0.7
"""A silence that ends a cue."""
SHORTEST_MS = 1000
"""A cue stays this long, if the next one is not said before."""

_SENTENCE_ENDS = tuple(".?!…。？！؟।")
_CLAUSE_ENDS = tuple(",;:–—、，；：،")


class Cue(msgspec.Struct, frozen=True):
    """One or two lines. Times in milliseconds: starts never run backwards, and no cue is empty."""

    speaker: str
    start: int
    end: int
    lines: list[str]


def cues(said: Sequence[Said], *, names_in_line: bool) -> list[Cue]:
    """`names_in_line`: the format puts the speaker's name into the first line of the text."""
    made = []
    for turn in sorted(said, key=lambda turn: turn.start):
        # A longer name overflows its line: the text needs room beside it.
        lead = min(width(turn.speaker) + 2, LINE_COLUMNS // 2) if names_in_line else 0
        pieces = [part for piece in turn.pieces for part in _narrow(piece, LINE_COLUMNS - lead)]
        made += [_cue(turn, portion, lead) for portion in _portions(pieces, lead)]
    made.sort(key=lambda cue: cue.start)
    return [_visible(cue, following) for cue, following in zip_longest(made, made[1:])]


def _narrow(piece: Piece, columns: int) -> Iterator[Piece]:
    """A piece that is wider than a line, in several that are not."""
    if width(piece.text) <= columns:
        yield piece
        return
    size = columns // 2  # as many wide signs fill a line
    parts = [piece.text[at : at + size] for at in range(0, len(piece.text), size)]
    step = (piece.end - piece.start) / len(parts)
    for at, part in enumerate(parts):
        if part.strip():
            start = piece.start + at * step
            yield Piece(part.strip(), start, start + step, piece.spaced if at == 0 else False)


def _portions(pieces: Sequence[Piece], lead: int) -> Iterator[Sequence[Piece]]:
    first = 0
    while first < len(pieces):
        after = _furthest(pieces, first, lead)
        if after < len(pieces) and not _pause(pieces, after):
            after = _best_break(pieces, first, after)
        yield pieces[first:after]
        first = after


def _furthest(pieces: Sequence[Piece], first: int, lead: int) -> int:
    """Behind the last piece that fits into two lines and the time; one piece always fits."""
    line, column = 1, lead
    for at in range(first, len(pieces)):
        piece = pieces[at]
        column += (piece.spaced and at > first) + width(piece.text)
        if column > LINE_COLUMNS:
            line, column = line + 1, width(piece.text)
        too_long = piece.end - pieces[first].start > LONGEST_SECONDS
        if at > first and (line > 2 or too_long or _pause(pieces, at)):
            return at
    return len(pieces)


def _pause(pieces: Sequence[Piece], at: int) -> bool:
    """Whether there is silence before this piece."""
    return pieces[at].start - pieces[at - 1].end > PAUSE_SECONDS


def _best_break(pieces: Sequence[Piece], first: int, after: int) -> int:
    """The last end of a sentence, else of a clause, unless that leaves a third of it or less."""
    least = first + (after - first) // 3
    for ends in (_SENTENCE_ENDS, _CLAUSE_ENDS):
        for at in range(after, least, -1):
            if pieces[at - 1].text.endswith(ends):
                return at
    return after


def _cue(turn: Said, portion: Sequence[Piece], lead: int) -> Cue:
    start = max(0, round(portion[0].start * 1000))
    end = round(min(portion[-1].end, portion[0].start + LONGEST_SECONDS) * 1000)
    return Cue(turn.speaker, start, end, _lines(portion, lead))


def _lines(portion: Sequence[Piece], lead: int) -> list[str]:
    """One line, or two of about the same width."""
    whole = _text(portion)
    if lead + width(whole) <= LINE_COLUMNS or len(portion) == 1:
        return [whole]
    halves = [[_text(portion[:at]), _text(portion[at:])] for at in range(1, len(portion))]

    def widest(lines: list[str]) -> int:
        return max(lead + width(lines[0]), width(lines[1]))

    return min(halves, key=widest)


def _text(pieces: Sequence[Piece]) -> str:
    return "".join(" " * piece.spaced + piece.text for piece in pieces).strip()


def _visible(cue: Cue, following: Cue | None) -> Cue:
    """Shown long enough to be seen, unless the following one comes before."""
    longer = cue.start + SHORTEST_MS
    if following is not None:
        longer = min(longer, following.start)
    return msgspec.structs.replace(cue, end=max(cue.end, longer, cue.start + 1))
