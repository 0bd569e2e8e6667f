"""The manifest of a backup: one encoding, and a seal that only the master key makes."""

import msgspec
import pytest

from onprem.core.backup import Manifest, Part, decoded, sealed
from onprem.core.checkpoint import ChainTip

KEY = bytes(range(32))
MANIFEST = Manifest(
    onprem="1.0",
    installation="0" * 32,
    region="here",
    schema=1,
    created_at=1_800_000_000.25,
    wall=1_800_000_001.0,
    ledger=ChainTip(7, "ab" * 32),
    access_log=ChainTip(0, "00" * 32),
    counts={"job": 2},
    parts=[Part("store.sqlite3", 10, "cd" * 32)],
)


def test_it_reads_as_it_was_written() -> None:
    manifest = sealed(MANIFEST, KEY)
    assert decoded(manifest.encoded()) == manifest
    assert manifest.body == MANIFEST
    assert MANIFEST.part("store.sqlite3") == MANIFEST.parts[0]
    assert MANIFEST.part("onprem.toml") is None


def test_the_seal_is_that_of_the_key_and_of_every_field() -> None:
    manifest = sealed(MANIFEST, KEY)
    assert manifest.made_with(KEY)
    assert not manifest.made_with(bytes(32))
    for changes in ({"counts": {"job": 3}}, {"region": "there"}, {"parts": []}):
        changed = msgspec.structs.replace(MANIFEST, **changes)
        assert not msgspec.structs.replace(manifest, body=changed).made_with(KEY)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{}",
        sealed(MANIFEST, KEY).encoded()[:-1],
        sealed(MANIFEST, KEY).encoded().replace(b"onprem-backup/1", b"onprem-backup/2"),
        sealed(MANIFEST, KEY).encoded().replace(b'"region"', b'"unknown":1,"region"'),
    ],
    ids=["nothing", "empty", "no newline", "another format", "an unknown field"],
)
def test_another_encoding_is_none(raw: bytes) -> None:
    with pytest.raises(ValueError):
        decoded(raw)
