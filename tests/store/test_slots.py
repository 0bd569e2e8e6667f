"""The record-key file: a slot gives a key to its own record only, and forgets it for good."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from onprem.errors import DataDirectoryDamaged, RecordKeysUnusable, StorageFull
from onprem.store.seal import new_key
from onprem.store.slots import SLOT_BYTES, STEP, SlotFile
from tests.support.store import MASTER

MINE = b"m" * 16
THEIRS = b"t" * 16
KEY = new_key()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "record.slots"


@pytest.fixture
def slots(path: Path) -> Iterator[SlotFile]:
    SlotFile.create(path)
    slots = SlotFile(path, MASTER, 0)
    slots.grow(0)
    yield slots
    slots.close()


def test_a_key_comes_back_to_its_record(slots: SlotFile) -> None:
    slots.write(3, MINE, KEY)
    assert slots.read(3, MINE) == KEY
    assert slots.occupants() == {3: MINE}


def test_a_key_is_there_after_the_file_was_opened_again(slots: SlotFile, path: Path) -> None:
    slots.write(3, MINE, KEY)
    again = SlotFile(path, MASTER, STEP)
    assert again.read(3, MINE) == KEY
    again.close()


def test_another_record_gets_nothing(slots: SlotFile) -> None:
    slots.write(3, MINE, KEY)
    assert slots.read(3, THEIRS) is None
    assert slots.read(4, MINE) is None
    assert slots.read(10 * STEP, MINE) is None


def test_the_file_never_holds_the_key_itself(slots: SlotFile, path: Path) -> None:
    slots.write(3, MINE, KEY)
    assert KEY not in path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_erased_key_leaves_no_byte(slots: SlotFile, path: Path) -> None:
    slots.write(3, MINE, KEY)
    wrapped = path.read_bytes()[3 * SLOT_BYTES + 16 :][:40]
    assert slots.erase(3, MINE)
    assert slots.read(3, MINE) is None
    assert not any(path.read_bytes())
    assert wrapped not in path.read_bytes()


def test_erasing_is_repeatable_and_spares_other_records(slots: SlotFile) -> None:
    slots.write(3, THEIRS, KEY)
    assert slots.erase(3, MINE)
    assert slots.erase(3, MINE)
    assert slots.read(3, THEIRS) == KEY


def test_the_file_grows_in_steps_and_keeps_what_it_has(slots: SlotFile) -> None:
    slots.write(STEP - 1, MINE, KEY)
    assert slots.grow(STEP) == range(STEP, 2 * STEP)
    assert len(slots) == 2 * STEP
    assert slots.read(STEP - 1, MINE) == KEY


def test_growing_twice_from_the_same_slot_grows_once(slots: SlotFile) -> None:
    slots.write(5, MINE, KEY)
    assert slots.grow(0) == range(STEP)
    assert len(slots) == STEP
    assert slots.read(5, MINE) == KEY


@pytest.mark.parametrize("offset", [16, 40, 56])
def test_a_damaged_slot_is_damage_and_not_a_missing_key(
    slots: SlotFile, path: Path, offset: int
) -> None:
    slots.write(3, MINE, KEY)
    raw = bytearray(path.read_bytes())
    raw[3 * SLOT_BYTES + offset] ^= 1
    path.write_bytes(raw)
    with pytest.raises(DataDirectoryDamaged, match="slot 3 has a bad checksum"):
        slots.read(3, MINE)


def test_a_damaged_slot_can_be_erased(slots: SlotFile, path: Path) -> None:
    slots.write(3, MINE, KEY)
    raw = bytearray(path.read_bytes())
    raw[3 * SLOT_BYTES + 20] ^= 1
    path.write_bytes(raw)
    assert slots.erase(3, MINE)
    assert not any(path.read_bytes())


def test_another_master_key_opens_nothing(slots: SlotFile, path: Path) -> None:
    slots.write(3, MINE, KEY)
    other = SlotFile(path, bytes(32), STEP)
    with pytest.raises(DataDirectoryDamaged, match="does not open with this master key"):
        other.read(3, MINE)
    other.close()


def test_a_full_disk_stops_growing_and_not_erasing(
    slots: SlotFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    slots.write(3, MINE, KEY)
    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(StorageFull):
        slots.grow(STEP)
    assert slots.erase(3, MINE)


def test_a_missing_file_is_never_made_by_opening_it(path: Path) -> None:
    with pytest.raises(RecordKeysUnusable, match=rf"knows {3 * SLOT_BYTES} bytes") as raised:
        SlotFile(path, MASTER, 3)
    assert str(path) in str(raised.value) and "mount it" in raised.value.advice
    assert not path.exists()


def test_a_file_shorter_than_the_database_knows_is_refused(slots: SlotFile, path: Path) -> None:
    with pytest.raises(RecordKeysUnusable, match="shorter"):
        SlotFile(path, MASTER, STEP + 1)


def test_a_file_that_exists_is_not_made_again(slots: SlotFile, path: Path) -> None:
    slots.write(3, MINE, KEY)
    with pytest.raises(FileExistsError):
        SlotFile.create(path)
    assert slots.read(3, MINE) == KEY


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_write_without_room_is_storage_full(
    slots: SlotFile, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def full(*_: object) -> int:
        raise OSError(number, "no room")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(StorageFull):
        slots.write(3, MINE, KEY)
