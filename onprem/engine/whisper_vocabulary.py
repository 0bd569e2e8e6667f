"""What the vocabulary of a Whisper model for CTranslate2 tells about it."""

from pathlib import Path

import msgspec

VOCABULARIES = ("vocabulary.json", "vocabulary.txt")
_MULTILINGUAL = 51_865
"""Entries from which CTranslate2 takes a model for multilingual; English-only ones have fewer."""


def knows_many_languages(folder: Path) -> bool:
    """Whether the model knows other languages than English; False without a readable vocabulary."""
    for name in VOCABULARIES:
        try:
            content = (folder / name).read_bytes()
            return _entries(name, content) >= _MULTILINGUAL
        except FileNotFoundError:
            continue
        except (OSError, msgspec.DecodeError):  # what is damaged, the next load names
            return False
    return False


def _entries(name: str, content: bytes) -> int:
    """Of the text form, each line is one; of the other, each element of a list."""
    if name.endswith(".txt"):
        return len(content.removesuffix(b"\n").split(b"\n"))
    return len(msgspec.json.decode(content, type=list[str]))
