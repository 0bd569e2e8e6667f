"""Text that knows when each piece of it was said."""

import unicodedata
from collections.abc import Iterator, Sequence

import msgspec

from onprem.core.merge import TranscribedTurn
from onprem.core.speech import SpokenWord


class Piece(msgspec.Struct, frozen=True):
    """A word, or a part of one that may stand alone; `spaced`: a space comes before it."""

    text: str
    start: float
    end: float
    spaced: bool = True


def clean(text: str) -> str:
    """One line: every run of white space is one space, and there are no control characters."""
    visible = (mark for mark in text if mark.isspace() or unicodedata.category(mark) != "Cc")
    return " ".join("".join(visible).split())


def width(text: str) -> int:
    """Columns that it takes; a Chinese, Japanese or Korean sign takes two."""
    return sum(map(_columns, text))


def _columns(mark: str) -> int:
    if unicodedata.east_asian_width(mark) in "WF":
        return 2
    return 0 if unicodedata.category(mark) in ("Mn", "Me", "Cf") else 1


def _clings(mark: str) -> bool:
    """Never stands at the beginning of a line: closing punctuation, and what is put on a letter."""
    return unicodedata.category(mark) in ("Po", "Pe", "Pf") or _columns(mark) == 0


def words_by_turn(turns: Sequence[TranscribedTurn], words: Sequence[SpokenWord]) -> list[list[int]]:
    """For each turn the positions of its words.

    A turn's text is that of its words, in their order: so they are counted off by their letters,
    which is exact where times are equal. A word without any goes by its time.
    """
    waiting: dict[str, list[int]] = {}
    for position in reversed(range(len(words))):
        waiting.setdefault(words[position].speaker, []).append(position)
    found = []
    for turn in turns:
        queue, mine, missing = waiting.get(turn.speaker, []), list[int](), _letters(turn.text)
        while queue:
            following = words[queue[-1]]
            letters = _letters(following.text)
            if missing <= 0 and (letters or following.end > turn.end):
                break
            mine.append(queue.pop())
            missing -= letters
        found.append(mine)
    return found


def _letters(text: str) -> int:
    return sum(map(len, text.split()))


def timed(turn: TranscribedTurn, words: Sequence[SpokenWord]) -> list[Piece]:
    """The text of a turn in pieces. Words that are not those of the text do not count."""
    text, cursor, pieces = clean(turn.text), 0, list[Piece]()
    for word in words:
        part = clean(word.text)
        spaced = text.startswith(" ", cursor)
        if not text.startswith(part, cursor + spaced):
            return spread(split(text), turn.start, turn.end)
        if not part:
            continue
        if pieces and not spaced and _clings(part[0]):
            last = pieces.pop()
            pieces.append(Piece(last.text + part, last.start, word.end, last.spaced))
        else:
            first, *others = spread(split(part), word.start, word.end)
            pieces += [msgspec.structs.replace(first, spaced=spaced), *others]
        cursor += spaced + len(part)
    if cursor != len(text):
        return spread(split(text), turn.start, turn.end)
    return pieces


def split(text: str) -> list[Piece]:
    """The words of a text, still without times. What is written without spaces is taken apart."""
    pieces: list[Piece] = []
    for word in clean(text).split(" "):
        pieces += (Piece(part, 0.0, 0.0, at == 0) for at, part in enumerate(_parts(word)))
    return pieces


def _parts(word: str) -> Iterator[str]:
    part = ""
    for mark in word:
        apart = part and (_columns(mark) == 2 or _columns(part[-1]) == 2)
        if apart and not _clings(mark):
            yield part
            part = ""
        part += mark
    if part:
        yield part


def spread(pieces: Sequence[Piece], start: float, end: float) -> list[Piece]:
    """Share out the time from `start` to `end`, by length."""
    total = sum(len(piece.text) for piece in pieces)
    timed, before = [], 0
    for piece in pieces:
        after = before + len(piece.text)
        timed.append(
            msgspec.structs.replace(
                piece,
                start=_between(start, end, before / total),
                end=_between(start, end, after / total),
            )
        )
        before = after
    return timed


def _between(start: float, end: float, share: float) -> float:
    return max(start, min(round(start + (end - start) * share, 3), end))


def retimed(words: Sequence[SpokenWord], turn: TranscribedTurn) -> list[SpokenWord]:
    """The words of a turn whose text was corrected.

    What stands at its beginning and at its end as before keeps its times. Between them, as many
    words as before take over their times; else they share out the time that is there.
    """
    old = [piece for word in words for piece in spread(split(word.text), word.start, word.end)]
    new = split(turn.text)
    head = _alike(old, new)
    tail = _alike(old[head:][::-1], new[head:][::-1])
    gone, come = old[head : len(old) - tail], new[head : len(new) - tail]
    if len(gone) == len(come):
        middle = [
            msgspec.structs.replace(piece, start=before.start, end=before.end)
            for piece, before in zip(come, gone, strict=True)
        ]
    else:
        start = gone[0].start if gone else old[head - 1].end if head else turn.start
        end = gone[-1].end if gone else old[len(old) - tail].start if tail else turn.end
        middle = spread(come, start, end)
    pieces = [*old[:head], *middle, *old[len(old) - tail :]]
    return [
        SpokenWord(piece.start, piece.end, piece.text, turn.speaker, turn.channel)
        for piece in pieces
    ]


def _alike(old: Sequence[Piece], new: Sequence[Piece]) -> int:
    """How many pieces are the same from the beginning."""
    count = 0
    for before, after in zip(old, new, strict=False):
        if before.text != after.text:
            break
        count += 1
    return count
