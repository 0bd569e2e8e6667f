"""Sealing: what was sealed comes back whole, and nothing else ever does."""

import pytest
from hypothesis import given, settings, strategies as st

from onprem.errors import DataDirectoryDamaged
from onprem.store.seal import SEGMENT, TAG, Sealer, new_key, open_segments, seal, unseal

SIZES = st.sampled_from(
    [0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 2 * SEGMENT - 1, 2 * SEGMENT, 2 * SEGMENT + 1]
) | st.integers(0, 2 * SEGMENT + 10)
KEY = new_key()
LABEL = b"output|0123456789abcdef"
THREE = b"a" * SEGMENT + b"b" * SEGMENT + b"c" * 100


def pieces(sealed: bytes) -> list[bytes]:
    step = SEGMENT + TAG
    return [sealed[start : start + step] for start in range(0, len(sealed), step)]


@settings(max_examples=25, deadline=None)
@given(SIZES, st.integers(1, SEGMENT + 7))
def test_any_size_pushed_in_any_pieces_comes_back(size: int, step: int) -> None:
    plaintext = (b"0123456789abcdef-" * (size // 17 + 1))[:size]
    step = max(step, size // 50 + 1)
    sealer = Sealer(KEY, LABEL)
    sealed = b"".join(
        segment
        for start in range(0, size, step)
        for segment in sealer.push(plaintext[start : start + step])
    )
    sealed += sealer.finish()
    assert sealer.size == size
    assert unseal(KEY, LABEL, sealed) == plaintext


@given(st.binary(max_size=64))
def test_the_ciphertext_is_longer_by_one_tag_and_shows_nothing(plaintext: bytes) -> None:
    sealed = seal(KEY, LABEL, plaintext)
    assert len(sealed) == len(plaintext) + TAG
    assert len(plaintext) < 8 or plaintext not in sealed


@given(st.binary(max_size=200), st.data())
def test_a_flipped_bit_anywhere_does_not_open(plaintext: bytes, data: st.DataObject) -> None:
    sealed = bytearray(seal(KEY, LABEL, plaintext))
    bit = data.draw(st.integers(0, 8 * len(sealed) - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(DataDirectoryDamaged):
        unseal(KEY, LABEL, bytes(sealed))


def test_a_ciphertext_cut_at_a_segment_does_not_open() -> None:
    first, second, _ = pieces(seal(KEY, LABEL, THREE))
    with pytest.raises(DataDirectoryDamaged):
        unseal(KEY, LABEL, first + second)
    with pytest.raises(DataDirectoryDamaged):
        unseal(KEY, LABEL, first)


def test_a_ciphertext_cut_anywhere_else_does_not_open() -> None:
    sealed = seal(KEY, LABEL, b"hello")
    for length in range(len(sealed)):
        with pytest.raises(DataDirectoryDamaged):
            unseal(KEY, LABEL, sealed[:length])


def test_a_longer_ciphertext_does_not_open() -> None:
    sealed = seal(KEY, LABEL, b"a" * SEGMENT)
    with pytest.raises(DataDirectoryDamaged):
        unseal(KEY, LABEL, sealed + seal(KEY, LABEL, b"more"))


def test_swapped_segments_do_not_open() -> None:
    first, second, last = pieces(seal(KEY, LABEL, THREE))
    with pytest.raises(DataDirectoryDamaged):
        unseal(KEY, LABEL, second + first + last)


def test_another_label_does_not_open() -> None:
    sealed = seal(KEY, LABEL, b"hello")
    with pytest.raises(DataDirectoryDamaged):
        unseal(KEY, b"media|0123456789abcdef", sealed)


def test_another_key_does_not_open() -> None:
    with pytest.raises(DataDirectoryDamaged):
        unseal(new_key(), LABEL, seal(KEY, LABEL, b"hello"))


def test_nothing_at_all_does_not_open() -> None:
    with pytest.raises(DataDirectoryDamaged):
        list(open_segments(KEY, LABEL, []))
