"""Signed links: whoever changes a character of one, or comes late, is refused."""

import base64

import msgspec
import pytest
from hypothesis import given, strategies as st

from onprem.services.media_links import LIFETIME, LinkSigner, MediaLink

NOW = 1_800_000_000.0
SIGNER = LinkSigner(b"s" * 32)
TOKEN = SIGNER.sign("PUT", "prj_1", "folder/a.wav", key_id="0badcafe", now=NOW)
RAW = base64.urlsafe_b64decode(TOKEN + "=" * (-len(TOKEN) % 4))


def refused(token: str, now: float = NOW) -> bool:
    return SIGNER.open("PUT", token, now=now) is None


def opened(token: str) -> MediaLink:
    link = SIGNER.open("PUT", token, now=NOW)
    assert link is not None
    return link


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def test_a_link_says_what_it_was_signed_for() -> None:
    link = opened(TOKEN)
    assert (link.method, link.project_id, link.key) == ("PUT", "prj_1", "folder/a.wav")
    assert link.key_id == "0badcafe"
    assert link.expires_at == NOW + LIFETIME


def test_each_link_has_a_nonce_of_its_own() -> None:
    again = SIGNER.sign("PUT", "prj_1", "folder/a.wav", key_id="0badcafe", now=NOW)
    assert opened(again).nonce != opened(TOKEN).nonce


def test_a_link_lives_one_hour() -> None:
    assert not refused(TOKEN, NOW + LIFETIME - 1)
    assert refused(TOKEN, NOW + LIFETIME)


def test_a_cut_link_is_refused_wherever_it_is_cut() -> None:
    assert all(refused(TOKEN[:length]) for length in range(len(TOKEN)))


@given(st.integers(0, len(TOKEN) - 1), st.sampled_from("AB-_=!+/ \n"))
def test_a_link_has_one_spelling(place: int, sign: str) -> None:
    assert refused(TOKEN[:place] + sign + TOKEN[place:])
    changed = TOKEN[:place] + sign + TOKEN[place + 1 :]
    assert refused(changed) == (changed != TOKEN)


def test_the_bits_that_base64_leaves_unused_are_not_free() -> None:
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    assert [sign for sign in last if not refused(TOKEN[:-1] + sign)] == [TOKEN[-1]]


@given(st.integers(0, 8 * len(RAW) - 1))
def test_a_link_with_a_flipped_bit_is_refused(bit: int) -> None:
    forged = bytearray(RAW)
    forged[bit // 8] ^= 1 << bit % 8
    assert refused(encoded(bytes(forged)))


@given(st.text(max_size=200))
def test_any_other_text_is_refused(text: str) -> None:
    assert refused(text)


def test_a_link_of_another_server_is_refused() -> None:
    assert refused(
        LinkSigner(b"t" * 32).sign("PUT", "prj_1", "folder/a.wav", key_id="0badcafe", now=NOW)
    )


@pytest.mark.parametrize("method", ["GET", "DELETE", "put"])
def test_a_link_for_another_method_is_refused(method: str) -> None:
    payload = msgspec.msgpack.encode(
        MediaLink(method, "prj_1", "a", NOW + 60, b"n" * 16, "0badcafe")
    )
    assert refused(encoded(SIGNER._mac(payload) + payload))


def test_a_link_serves_the_method_it_was_signed_for() -> None:
    download = SIGNER.sign("GET", "prj_1", "folder/a.wav", key_id="0badcafe", now=NOW)
    assert refused(download)
    link = SIGNER.open("GET", download, now=NOW)
    assert link is not None and link.key == "folder/a.wav"
    assert SIGNER.open("GET", TOKEN, now=NOW) is None


def test_a_link_fits_into_a_path() -> None:
    assert set(TOKEN) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
