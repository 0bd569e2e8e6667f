"""Signed documents: checked by a key that one has already, never by the one that they bring."""

import msgspec
import pytest

from onprem.core.checkpoint import ChainTip, Checkpoint
from onprem.core.ledger_export import End
from onprem.core.signed import NotSigned, SignedDocument, installation_id, open_signed
from onprem.services.signing import Signer

SIGNER, STRANGER = Signer(bytes(range(32))), Signer(bytes(32))
TIP = ChainTip(3, "ab" * 32)


def checkpoint(installation: str = SIGNER.installation) -> Checkpoint:
    return Checkpoint(
        installation=installation, number=1, at=2.5, wall=2.0, ledger=TIP, access_log=TIP
    )


DOCUMENT = SIGNER.document(checkpoint())


def forged(**changes: object) -> SignedDocument:
    body = msgspec.json.decode(DOCUMENT.body) | changes
    return msgspec.structs.replace(DOCUMENT, body=msgspec.Raw(msgspec.json.encode(body)))


def test_what_was_signed_is_read() -> None:
    assert open_signed(DOCUMENT, Checkpoint, SIGNER.public_key) == checkpoint()


def test_it_survives_being_written_for_people() -> None:
    pretty = msgspec.json.format(DOCUMENT.encoded(), indent=4)
    document = msgspec.json.decode(pretty, type=SignedDocument)
    assert open_signed(document, Checkpoint, SIGNER.public_key) == checkpoint()


def test_its_form_is_held_down() -> None:
    # What auditors keep for years must verify by a later version.
    body = (
        '{"accessLog":{"digest":"' + "ab" * 32 + '","size":3},"at":2.5,'
        '"format":"onprem-checkpoint/1","installation":"56475aa75463474c0285df5dbf2bcab7",'
        '"ledger":{"digest":"' + "ab" * 32 + '","size":3},"number":1,"wall":2.0}'
    )
    assert bytes(DOCUMENT.body).decode() == body
    assert set(msgspec.json.decode(DOCUMENT.encoded())) == {"body", "publicKey", "signature"}


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (forged(number=2), "changed after it was signed"),
        (forged(more=1), "changed after it was signed"),
        (forged(installation=STRANGER.installation), "changed after it was signed"),
        (msgspec.structs.replace(DOCUMENT, signature=bytes(64)), "changed after it was signed"),
        (msgspec.structs.replace(DOCUMENT, signature=b""), "changed after it was signed"),
        (msgspec.structs.replace(DOCUMENT, body=msgspec.Raw(b"[]")), "changed after it was signed"),
        (
            STRANGER.document(checkpoint(STRANGER.installation)),
            f"was signed by the installation {STRANGER.installation}, not by",
        ),
        (
            msgspec.structs.replace(
                STRANGER.document(checkpoint(STRANGER.installation)), public_key=SIGNER.public_key
            ),
            "changed after it was signed",
        ),
    ],
)
def test_anything_else_is_refused(document: SignedDocument, why: str) -> None:
    with pytest.raises(NotSigned, match=why):
        open_signed(document, Checkpoint, SIGNER.public_key)


def test_a_statement_of_one_kind_passes_for_no_other() -> None:
    with pytest.raises(NotSigned):
        open_signed(DOCUMENT, End, SIGNER.public_key)


def test_nobody_signs_for_another() -> None:
    with pytest.raises(AssertionError):
        SIGNER.document(checkpoint(STRANGER.installation))


def test_an_installation_is_named_after_its_key() -> None:
    assert SIGNER.installation == installation_id(SIGNER.public_key)
    assert SIGNER.installation != STRANGER.installation
