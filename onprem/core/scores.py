"""How far an output is from what was expected of it. The measuring is in engine/scoring.py."""

import re
import unicodedata

import msgspec

# Scripts without spaces: each of their characters counts as a word.
_ALONE = re.compile("([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff])")

COMPARED_WORDS = (
    "words in NFKC form without case and punctuation; Chinese and Japanese by character"
)


class DiarizationScore(msgspec.Struct, frozen=True, rename="camel"):
    """Diarization error rate. Seconds of speech; two speakers at once count twice.

    `der` is (missed + false alarm + confusion) / expected; None where no speech is expected.
    `collar`: seconds that are left out around each boundary of an expected turn, half of them on
    each side. `scored_until`: seconds of the recording that were scored, from its start.
    """

    der: float | None
    expected: float
    missed: float
    false_alarm: float
    confusion: float
    collar: float
    overlap_scored: bool
    scored_until: float


class TranscriptionScore(msgspec.Struct, frozen=True, rename="camel"):
    """Word error rate: (substitutions + deletions + insertions) / expected words.

    None where no words are expected. `compared`: what counted as a word.
    """

    wer: float | None
    expected_words: int
    substitutions: int
    deletions: int
    insertions: int
    compared: str = COMPARED_WORDS


def words_of(text: str) -> list[str]:
    """The words of a text as they are compared: see `COMPARED_WORDS`.

    An apostrophe within a word stays, a hyphen separates.
    """
    folded = unicodedata.normalize("NFKC", text).casefold().replace("\u2019", "'")
    kept = "".join(sign if sign == "'" or _spoken(sign) else " " for sign in folded)
    words = (word.strip("'") for word in _ALONE.sub(r" \1 ", kept).split())
    return [word for word in words if word]


def _spoken(sign: str) -> bool:
    """Letters, numerals, and the marks that belong to them."""
    return unicodedata.category(sign)[0] in "LMN"
