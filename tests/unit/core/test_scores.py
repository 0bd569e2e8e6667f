"""Which words are compared."""

import pytest
from hypothesis import given, strategies as st

from onprem.core.scores import words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello, world!", ["hello", "world"]),
        ("It's Anna\u2019s 'word'.", ["it's", "anna's", "word"]),
        ("twenty-one \u2013 or 21?", ["twenty", "one", "or", "21"]),
        ("Stra\u00dfe", ["strasse"]),
        ("Cafe\u0301 \ufb01n", ["caf\u00e9", "fin"]),
        ("\u4f60\u597d\u3002ok", ["\u4f60", "\u597d", "ok"]),
        ("\u0928\u092e\u0938\u094d\u0924\u0947", ["\u0928\u092e\u0938\u094d\u0924\u0947"]),
        (" \n - ' ... ", []),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert words_of(text) == words


@given(st.text())
def test_words_are_words_of_themselves(text: str) -> None:
    words = words_of(text)
    assert words_of(" ".join(words)) == words
