"""The file of a backup: whole or none, and no byte of it can be changed unseen."""

import stat
import tarfile
from pathlib import Path

import pytest

from onprem.core.backup import Manifest, SealedManifest, sealed
from onprem.core.checkpoint import ChainTip
from onprem.errors import BackupUnusable, BackupUnwritten
from onprem.store.backup_file import (
    head,
    part_of,
    publish,
    unpack,
    workshop,
    write,
)

CONFIGURATION = b"[node]\nregion = 'here'\n"
STORE = bytes(range(256)) * 3


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Written as a backup is."""
    path = tmp_path / "onprem.tar"
    with workshop(path) as folder:
        files = [folder / "onprem.toml", folder / "store.sqlite3"]
        files[0].write_bytes(CONFIGURATION)
        files[1].write_bytes(STORE)
        write(folder / "partial", manifest_of(files), files, made_at=1_800_000_000)
        publish(folder / "partial", path)
    return path


def manifest_of(files: list[Path]) -> SealedManifest:
    manifest = Manifest(
        onprem="1.0",
        installation="0" * 32,
        region="here",
        schema=1,
        created_at=1.0,
        wall=2.0,
        ledger=ChainTip(0, "00" * 32),
        access_log=ChainTip(0, "00" * 32),
        counts={},
        parts=[part_of(path, path.name) for path in files],
    )
    return sealed(manifest, bytes(32))


def refused(path: Path) -> bool:
    into = path.with_name("unpacked")
    into.unlink(missing_ok=True)
    try:
        unpack(path, into)
    except BackupUnusable:
        return True
    return False


def test_it_gives_back_what_was_put_in(file: Path, tmp_path: Path) -> None:
    found = unpack(file, tmp_path / "unpacked")
    assert found.configuration == head(file)[1] == CONFIGURATION
    assert (tmp_path / "unpacked").read_bytes() == STORE
    assert found.bytes == file.stat().st_size
    assert [part.name for part in found.sealed.body.parts] == ["onprem.toml", "store.sqlite3"]


def test_it_is_its_owner_s_alone(file: Path) -> None:
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    unpack(file, into := file.with_name("unpacked"))
    assert stat.S_IMODE(into.stat().st_mode) == 0o600


def test_any_tar_can_open_it(file: Path) -> None:
    with tarfile.open(file) as archive:
        names = archive.getnames()
        assert names == ["manifest.json", "onprem.toml", "store.sqlite3", "sha256"]
        member = archive.extractfile("onprem.toml")
        assert member is not None and member.read() == CONFIGURATION


def test_one_flipped_bit_anywhere_is_found(file: Path) -> None:
    raw = file.read_bytes()
    unseen = []
    for place in range(len(raw)):
        changed = bytearray(raw)
        changed[place] ^= 1 << place % 8
        file.write_bytes(changed)
        if not refused(file):
            unseen.append(place)
    assert not unseen


def test_a_cut_or_a_longer_one_is_found(file: Path) -> None:
    raw = file.read_bytes()
    for wrong in (b"", raw[:100], raw[:-1], raw[:-1024], raw[: len(raw) // 2], raw + bytes(512)):
        file.write_bytes(wrong)
        assert refused(file), len(wrong)
    file.write_bytes(raw)
    assert not refused(file)


def test_a_changed_part_with_a_right_sum_is_found(file: Path, tmp_path: Path) -> None:
    """Whoever computes the sum anew has not changed the manifest, which has the master's seal."""
    files = [tmp_path / "onprem.toml", tmp_path / "store.sqlite3"]
    files[0].write_bytes(CONFIGURATION)
    files[1].write_bytes(STORE)
    manifest = manifest_of(files)
    files[1].write_bytes(STORE[::-1])
    forged = tmp_path / "forged.tar"
    write(forged, manifest, files, made_at=1)
    with pytest.raises(BackupUnusable, match="not the one that its manifest speaks of"):
        unpack(forged, tmp_path / "unpacked")


def test_nothing_is_overwritten(file: Path) -> None:
    raw = file.read_bytes()
    with pytest.raises(BackupUnwritten, match="nothing is overwritten"), workshop(file):
        pytest.fail("there is a file of that name")
    assert file.read_bytes() == raw


def test_what_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), workshop(tmp_path / "onprem.tar") as folder:
        (folder / "partial").write_bytes(b"half")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_without_a_folder_there_is_no_backup(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "onprem.tar"
    with pytest.raises(BackupUnwritten, match="No such file"), workshop(path):
        pytest.fail("there is no such folder")
