"""What a start refuses before it mends, deletes or receipts anything."""

import shutil
from pathlib import Path

import msgspec
import pytest

from onprem.config.settings import Settings, Storage
from onprem.core.receipt import ArtefactKind, DeletionReason
from onprem.errors import DataDirectoryDamaged, MasterKeyUnusable, RecordKeysUnusable
from onprem.services.invariants import check_invariants
from onprem.store import ledger, projects
from onprem.store.data_directory import DataDirectory
from onprem.store.database import Database
from onprem.store.master_key import MasterKey
from onprem.store.slots import SLOT_BYTES, STEP
from onprem.wiring import running_store
from tests.support.clock import FakeClock
from tests.support.server import install, settings_in

CONTENT = b"what was said at length. " * 10_000


@pytest.fixture
async def lived_in(tmp_path: Path) -> tuple[Settings, bytes]:
    """An installation with its keys on a volume of their own, and a record that is alive."""
    storage = Storage(
        data_dir=tmp_path / "data",
        keys_dir=tmp_path / "volume" / "keys",
        master_key_file=tmp_path / "master.key",
    )
    settings = settings_in(tmp_path, storage=storage)
    await install(settings, FakeClock())
    now = FakeClock().now()
    async with running_store(settings, FakeClock()) as (database, artefacts, _):
        project = await projects.by_name(database, "default")
        assert project is not None
        async with database.write() as tx:
            record = await artefacts.keep(
                tx,
                ArtefactKind.OUTPUT,
                CONTENT,
                project_id=project.id,
                job_id="job",
                now=now,
                due_at=now + 60,
            )
    return settings, record


async def assert_unharmed(settings: Settings, record: bytes) -> None:
    async with running_store(settings, FakeClock()) as (database, artefacts, _):
        assert await artefacts.read(record, now=FakeClock().now()) == CONTENT
        assert await ledger.receipts_of_job(database, "job") == []


@pytest.mark.parametrize("mountpoint", [True, False])
async def test_keys_that_are_not_mounted_are_no_deletion(
    lived_in: tuple[Settings, bytes], tmp_path: Path, mountpoint: bool
) -> None:
    settings, record = lived_in
    volume = settings.keys_dir.parent
    volume.rename(tmp_path / "away")
    if mountpoint:
        settings.keys_dir.mkdir(parents=True)
    with pytest.raises(RecordKeysUnusable, match=str(settings.keys_dir)) as raised:
        async with running_store(settings, FakeClock()):
            pass
    assert "storage.keys_dir" in raised.value.advice
    directory = DataDirectory(settings.storage.data_dir, settings.keys_dir)
    found = await check_invariants(directory, FakeClock().now())
    assert any("record-key file" in line for line in found)
    assert not directory.slots.exists()

    shutil.rmtree(volume, ignore_errors=True)
    (tmp_path / "away").rename(volume)
    await assert_unharmed(settings, record)


async def test_a_cut_key_file_is_no_deletion(lived_in: tuple[Settings, bytes]) -> None:
    settings, record = lived_in
    path = settings.keys_dir / "record.slots"
    whole = path.read_bytes()
    path.write_bytes(b"")
    with pytest.raises(RecordKeysUnusable, match="shorter"):
        async with running_store(settings, FakeClock()):
            pass
    path.write_bytes(whole)
    await assert_unharmed(settings, record)


async def test_another_master_key_is_noticed_before_anything_else(
    lived_in: tuple[Settings, bytes], tmp_path: Path
) -> None:
    settings, record = lived_in
    other = tmp_path / "other.key"
    MasterKey.create(other)
    storage = msgspec.structs.replace(settings.storage, master_key_file=other)
    settings.keys_dir.rename(tmp_path / "away")
    with pytest.raises(MasterKeyUnusable, match="made with another one"):
        async with running_store(msgspec.structs.replace(settings, storage=storage), FakeClock()):
            pass
    (tmp_path / "away").rename(settings.keys_dir)
    await assert_unharmed(settings, record)


async def test_the_key_check_does_not_tell_the_key(lived_in: tuple[Settings, bytes]) -> None:
    settings, _ = lived_in
    assert settings.storage.master_key_file is not None
    master = MasterKey.read(settings.storage.master_key_file)
    content = (settings.storage.data_dir / "onprem.sqlite3").read_bytes()
    for secret in (master._secret, master.derive("record keys"), master.derive("signed links")):
        assert secret not in content
    assert master.derive("key check") in content


async def test_an_installation_that_broke_off_is_said(lived_in: tuple[Settings, bytes]) -> None:
    settings, _ = lived_in
    database = Database(settings.storage.data_dir / "onprem.sqlite3")
    await database.open()
    async with database.write() as tx:
        await tx.execute("DELETE FROM key_check")
    await database.close()
    with pytest.raises(DataDirectoryDamaged, match="onprem init"):
        async with running_store(settings, FakeClock()):
            pass


async def test_keys_that_are_lost_for_good_are_given_up_by_a_file_of_zeros(
    lived_in: tuple[Settings, bytes],
) -> None:
    settings, record = lived_in
    path = settings.keys_dir / "record.slots"
    path.unlink()
    with pytest.raises(RecordKeysUnusable, match=f"knows {STEP * SLOT_BYTES} bytes"):
        async with running_store(settings, FakeClock()):
            pass
    path.write_bytes(bytes(STEP * SLOT_BYTES))
    async with running_store(settings, FakeClock()) as (database, _, _):
        (receipt,) = await ledger.receipts_of_job(database, "job")
    assert (receipt.artefact_id, receipt.reason) == (record.hex(), DeletionReason.CRASH)
