"""A voiceprint comes back as it was made, and nothing else is taken for one."""

import base64
import hmac
import math
import struct

import pytest
from hypothesis import given, strategies as st

from onprem.core.speech import ModelRef
from onprem.core.voiceprint import Voiceprint, VoiceprintUnusable, read_sealed, seal, unseal

KEY = bytes(range(32))
OTHER = bytes(32)
MODEL = ModelRef("campplus-zh-en", "ab" * 32)

parts = st.floats(-1, 1, allow_nan=False, width=32)
vectors = st.lists(parts, min_size=1, max_size=300).filter(lambda each: math.hypot(*each) > 1e-3)
ids = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True)


def made(vector: list[float] | None = None, key: bytes = KEY) -> str:
    return seal(Voiceprint(MODEL, vector or [0.6, 0.8]), key)


@given(ids, st.binary(min_size=32, max_size=32), vectors)
def test_it_comes_back_with_its_model_and_a_vector_of_length_1(
    model: str, digest: bytes, vector: list[float]
) -> None:
    text = seal(Voiceprint(ModelRef(model, digest.hex()), vector), KEY)
    found = unseal(text, [KEY])
    assert found.model == ModelRef(model, digest.hex())
    length = math.hypot(*vector)
    assert found.vector == pytest.approx([each / length for each in vector], abs=1e-6)
    assert math.hypot(*found.vector) == pytest.approx(1)
    assert read_sealed(text) == found


def test_it_fits_into_what_the_contract_takes() -> None:
    longest = seal(Voiceprint(ModelRef("m" * 64, "ab" * 32), [0.1] * 3500), KEY)
    assert len(longest) <= 20_000


def test_it_is_taken_under_any_trusted_key_and_no_other() -> None:
    assert unseal(made(key=OTHER), [KEY, OTHER]).model == MODEL
    with pytest.raises(VoiceprintUnusable, match="another installation"):
        unseal(made(key=OTHER), [KEY])
    with pytest.raises(VoiceprintUnusable):
        unseal(made(), [])


@given(st.data())
def test_whatever_bit_is_changed_it_is_refused(data: st.DataObject) -> None:
    raw = bytearray(base64.b64decode(made()))
    position = data.draw(st.integers(0, len(raw) - 1))
    raw[position] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(VoiceprintUnusable):
        unseal(base64.b64encode(raw).decode(), [KEY])


@given(st.integers(0, 200))
def test_what_was_cut_off_is_refused(length: int) -> None:
    text = made()
    with pytest.raises(VoiceprintUnusable):
        unseal(text[: min(length, len(text) - 1)], [KEY])


@given(st.text(max_size=200))
def test_any_text_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(VoiceprintUnusable) as refused:
        unseal(text, [KEY])
    assert len(text) < 4 or text not in str(refused.value)


def test_another_version_is_named() -> None:
    raw = bytearray(base64.b64decode(made()))
    raw[0] = 7
    with pytest.raises(VoiceprintUnusable, match="format version 7; this server reads 1"):
        unseal(base64.b64encode(raw).decode(), [KEY])


@pytest.mark.parametrize("vector", [[math.nan, 1.0], [math.inf, 0.0], [0.0, 0.0]])
def test_a_vector_that_is_none_is_refused_though_the_key_is_right(vector: list[float]) -> None:
    with pytest.raises(VoiceprintUnusable, match="no voice"):
        unseal(made(vector), [KEY])


def test_a_vector_shorter_than_it_says_is_refused_though_the_key_is_right() -> None:
    body = base64.b64decode(made())[:-32]
    dimension_at = 2 + len(MODEL.id) + 32
    forged = body[:dimension_at] + struct.pack("<H", 3) + body[dimension_at + 2 :]
    text = base64.b64encode(forged + hmac.digest(KEY, forged, "sha256")).decode()
    with pytest.raises(VoiceprintUnusable, match="damaged"):
        unseal(text, [KEY])
