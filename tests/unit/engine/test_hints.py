"""Hints: what fits is told as it was given, what does not is counted, and marks stay powerless."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from tokenizers import Tokenizer

from onprem.engine.hints import ROOM, hints

pytestmark = pytest.mark.models

WORDS = st.text(st.sampled_from("abcXYZ äß日本.,;:!?'\"-|<>019🎈"), max_size=30)


@pytest.fixture(scope="module")
def tokenizer(models_folder: Path) -> Tokenizer:
    loaded: Tokenizer = Tokenizer.from_file(str(models_folder / "whisper-base" / "tokenizer.json"))
    return loaded


def size(tokenizer: Tokenizer, text: str | None) -> int:
    return len(ids(tokenizer, text)) if text else 0


def ids(tokenizer: Tokenizer, text: str | None) -> list[int]:
    """As faster-whisper encodes both."""
    encoded: list[int] = tokenizer.encode(f" {text}", add_special_tokens=False).ids
    return encoded


def test_nothing_given_nothing_told(tokenizer: Tokenizer) -> None:
    assert hints([], None, tokenizer) == (None, None, [])
    assert hints(["", " \n"], "  ", tokenizer) == (None, None, [])


def test_words_become_a_list_and_lines_one_line(tokenizer: Tokenizer) -> None:
    told = hints(["Kwilter", "Comfy  UI"], "So\nwe met.", tokenizer)
    assert told == ("Kwilter, Comfy UI.", "So we met.", [])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(WORDS, max_size=60), st.none() | st.lists(WORDS, max_size=60).map(" ".join))
def test_it_always_fits_and_is_without_marks(
    tokenizer: Tokenizer, vocabulary: list[str], prompt: str | None
) -> None:
    told = hints(vocabulary, prompt, tokenizer)
    assert size(tokenizer, told.vocabulary) + size(tokenizer, told.prompt) <= ROOM
    for text in (told.vocabulary, told.prompt):
        assert max(ids(tokenizer, text)) < tokenizer.token_to_id("<|endoftext|>")


@pytest.mark.parametrize("mark", ["<|endoftext|>", "<|startoftranscript|>", "<|<|en|>en|>"])
def test_a_mark_is_text_like_any_other(tokenizer: Tokenizer, mark: str) -> None:
    told = hints([mark, "Kwilter"], f"{mark} Kwilter", tokenizer)
    for text in (told.vocabulary, told.prompt):
        assert text is not None and "Kwilter" in text
        assert max(ids(tokenizer, text)) < tokenizer.token_to_id("<|endoftext|>")


NAMES = [f"Quilterham{number:03}" for number in range(100)]
LONG = " ".join(f"number {number}" for number in range(300))


def test_a_vocabulary_that_is_too_long_loses_its_end(tokenizer: Tokenizer) -> None:
    told = hints(NAMES, None, tokenizer)
    assert told.vocabulary is not None
    kept = told.vocabulary.removesuffix(".").split(", ")
    assert kept == NAMES[: len(kept)]
    assert ROOM - size(tokenizer, f"{NAMES[0]},") < size(tokenizer, told.vocabulary) <= ROOM
    assert told.warnings == [
        "The vocabulary is longer than the model can take: "
        f"the last {100 - len(kept)} entries were left out."
    ]


def test_one_entry_too_many_is_one(tokenizer: Tokenizer) -> None:
    [warning] = hints(["short", "x9" * 300], None, tokenizer).warnings
    assert warning.endswith("the last entry was left out.")


def test_a_prompt_that_is_too_long_loses_its_beginning(tokenizer: Tokenizer) -> None:
    told = hints([], LONG, tokenizer)
    assert told.prompt is not None
    assert LONG.endswith(told.prompt)
    assert ROOM - 3 <= size(tokenizer, told.prompt) <= ROOM
    assert told.warnings == [
        "The prompt is longer than the model can take: its beginning was left out."
    ]


@pytest.mark.parametrize("unit", ["日本語", "🎈", "ß"])
def test_no_character_is_cut_in_two(tokenizer: Tokenizer, unit: str) -> None:
    told = hints([], unit * 500, tokenizer).prompt
    assert told is not None
    assert (unit * 500).endswith(told)
    assert len(told) > 30


def test_where_both_are_long_each_has_its_half(tokenizer: Tokenizer) -> None:
    told = hints(NAMES, LONG, tokenizer)
    assert size(tokenizer, told.prompt) == pytest.approx(ROOM / 2, abs=3)
    assert size(tokenizer, told.vocabulary) == pytest.approx(ROOM / 2, abs=12)
    assert len(told.warnings) == 2


def test_what_one_needs_less_the_other_may_use(tokenizer: Tokenizer) -> None:
    told = hints(NAMES, "So we met.", tokenizer)
    assert told.prompt == "So we met."
    assert size(tokenizer, told.vocabulary) > ROOM - 15
    told = hints(["Kwilter"], LONG, tokenizer)
    assert told.vocabulary == "Kwilter."
    assert size(tokenizer, told.prompt) > ROOM - 10
