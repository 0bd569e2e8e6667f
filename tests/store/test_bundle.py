"""Bundles: what the recipient opens is what went in, and nothing is left of a broken one."""

import hashlib
import io
import os
import resource
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pyrage
import pytest

from onprem.errors import BundleUnwritten
from onprem.store.bundle import Member, recipient, write_bundle

MADE_AT = 1_800_000_000
READER = pyrage.x25519.Identity.generate()
OTHER = pyrage.x25519.Identity.generate()
KEYS = [recipient(str(READER.to_public()))]


def member(name: str, content: bytes, step: int = 1 << 20) -> Member:
    pieces = [content[at : at + step] for at in range(0, len(content), step)]
    return Member(name, len(content), hashlib.sha256(content).hexdigest(), pieces)


def opened(bundle: bytes, identity: pyrage.x25519.Identity = READER) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(pyrage.decrypt(bundle, [identity]))) as archive:
        return {info.name: archive.extractfile(info).read() for info in archive.getmembers()}


def test_what_went_in_comes_out(tmp_path: Path) -> None:
    contents = {
        "manifest.json": b"{}",
        "audio": os.urandom(3_000_001),
        "even": bytes(1024),
        "empty": b"",
    }
    members = [member(name, content) for name, content in contents.items()]
    path = tmp_path / "bundle"
    write_bundle(path, members, KEYS, MADE_AT)
    assert opened(path.read_bytes()) == contents
    assert path.stat().st_mode & 0o777 == 0o600


def test_every_recipient_opens_it_and_nobody_else(tmp_path: Path) -> None:
    path = tmp_path / "bundle"
    both = [*KEYS, recipient(str(OTHER.to_public()))]
    write_bundle(path, [member("a", b"marker")], both, MADE_AT)
    assert opened(path.read_bytes()) == opened(path.read_bytes(), OTHER) == {"a": b"marker"}
    assert b"marker" not in path.read_bytes()
    with pytest.raises(pyrage.DecryptError):
        opened(path.read_bytes(), pyrage.x25519.Identity.generate())


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "bundle"
    path.write_text("mine")
    with pytest.raises(BundleUnwritten):
        write_bundle(path, [member("a", b"a")], KEYS, MADE_AT)
    assert path.read_text() == "mine"


@pytest.mark.parametrize("content", [b"12", b"1234", b"321"])
def test_a_member_that_changed_is_not_shared(tmp_path: Path, content: bytes) -> None:
    broken = Member("audio", 3, hashlib.sha256(b"123").hexdigest(), [content])
    with pytest.raises(BundleUnwritten, match="the audio changed"):
        write_bundle(tmp_path / "bundle", [broken], KEYS, MADE_AT)
    assert list(tmp_path.iterdir()) == []


def gone() -> Iterator[bytes]:
    yield bytes(1 << 20)
    raise FileNotFoundError(2, "No such file or directory", "/secret")


def test_a_member_that_vanishes(tmp_path: Path) -> None:
    broken = Member("audio", 1 << 21, "", gone())
    with pytest.raises(BundleUnwritten, match="No such file") as refusal:
        write_bundle(tmp_path / "bundle", [broken], KEYS, MADE_AT)
    assert "secret" not in str(refusal.value)
    assert list(tmp_path.iterdir()) == []


def bug() -> Iterator[bytes]:
    yield bytes(1 << 20)
    raise ZeroDivisionError


def test_a_fault_of_ours_passes_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        write_bundle(tmp_path / "bundle", [Member("audio", 1 << 21, "", bug())], KEYS, MADE_AT)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_takes_no_more(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
    try:
        with pytest.raises(BundleUnwritten, match="File too large"):
            write_bundle(tmp_path / "b", [member("audio", bytes(5 << 20))], KEYS, MADE_AT)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text",
    ["", "age1", "Ada", str(READER.to_public())[:-1], "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 ada", "\0"],
)
def test_what_is_no_key(text: str) -> None:
    with pytest.raises(ValueError, match="no age public key"):
        recipient(text)


def test_a_secret_key_is_refused_and_not_repeated() -> None:
    with pytest.raises(ValueError, match="secret key") as refusal:
        recipient(str(READER))
    assert str(READER) not in str(refusal.value)
