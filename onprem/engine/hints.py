"""What Whisper is told before it listens: words that may come up, and text said before."""

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple, Protocol

ROOM = 223
"""Tokens. Whisper keeps half of its context for what was said before, less one mark."""


class Tokens(Protocol):
    """What is used here of `tokenizers.Encoding`."""

    @property
    def ids(self) -> list[int]: ...


class Tokenizer(Protocol):
    """What is used here of `tokenizers.Tokenizer`."""

    def encode(self, sequence: str, *, add_special_tokens: bool) -> Tokens: ...

    def decode(self, ids: list[int]) -> str: ...


class Hints(NamedTuple):
    """Both None where there is nothing to say; the warnings quote none of it."""

    vocabulary: str | None
    prompt: str | None
    warnings: list[str]


def hints(vocabulary: Sequence[str], prompt: str | None, tokenizer: Tokenizer) -> Hints:
    """As much of both as fits into Whisper's room, which they share.

    Where they are too long together, each may have half of the room, and more where the other
    needs less. The vocabulary loses its end, the prompt its beginning, as Whisper itself cuts it.
    """

    def tokens(text: str) -> list[int]:
        """Words begin with a space, so their tokens are the same whatever comes before."""
        return tokenizer.encode(f" {text}", add_special_tokens=False).ids if text else []

    words = [word for word in map(_plain, vocabulary) if word]
    ends = [*accumulate(max(len(tokens(word + mark)) for mark in ",.") for word in words)]
    said = _plain(prompt or "")
    kept_said = _tail(said, max(ROOM // 2, ROOM - (ends[-1] if ends else 0)), tokens, tokenizer)
    room = ROOM - len(tokens(kept_said))
    kept = words[: sum(end <= room for end in ends)]
    listed = f"{', '.join(kept)}." if kept else None
    warnings = _left_out(len(words) - len(kept), cut=kept_said != said)
    return Hints(listed, kept_said or None, [*warnings])


def _plain(text: str) -> str:
    """One line, without what the tokenizer would read as one of its marks: `<|endoftext|>`."""
    return " ".join(text.replace("|", " ").split())


def _tail(text: str, room: int, tokens: Callable[[str], list[int]], tokenizer: Tokenizer) -> str:
    """The end of `text` that fits into `room` tokens."""
    ids = tokens(text)
    if len(ids) <= room:
        return text
    for kept in range(room, 0, -1):
        # The cut may go through a character, and what is left of a word may take more tokens.
        tail = tokenizer.decode(ids[-kept:]).lstrip("\ufffd").strip()
        if len(tokens(tail)) <= room:
            return tail
    return ""


def _left_out(entries: int, *, cut: bool) -> Iterator[str]:
    if entries:
        what = "entry was" if entries == 1 else f"{entries} entries were"
        yield f"The vocabulary is longer than the model can take: the last {what} left out."
    if cut:
        yield "The prompt is longer than the model can take: its beginning was left out."
