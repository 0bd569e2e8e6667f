"""On the device itself: what was purged opens from no block, not even from one that is free."""

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from onprem.config.settings import Settings
from onprem.core.receipt import ArtefactKind, DeletionReason
from onprem.errors import PurgeIncomplete
from onprem.services.sweep import Sweep
from onprem.store.artefacts import AtRest
from onprem.store.database import PRAGMAS
from tests.support.clock import FakeClock
from tests.support.filesystems import Device, device, may_mount
from tests.support.purger import MARKERS
from tests.support.purgers import Purgers, kernel_asks, recover
from tests.support.server import install, settings_in
from tests.support.store import LATER, NOW, OpenStore, opened_store
from tests.support.system_calls import CALLS, KILL, Injection
from tests.support.tier import needed

pytestmark = pytest.mark.ci

MEGABYTES = 32
SIZES = {ArtefactKind.REQUEST: 100, ArtefactKind.OUTPUT: 60_000, ArtefactKind.MEDIA: 3_000_000}
"""In a row, in overflow pages, in a blob of its own."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Device]:
    needed(may_mount(tmp_path / "probe"), "no loop device can be mounted here")
    with device(tmp_path, MEGABYTES) as made:
        yield made


class Content:
    """One record of each size with a marker in it, and what lies on the disk of them."""

    def __init__(self) -> None:
        self.marker = secrets.token_bytes(32)
        self.records: list[bytes] = []
        self.at_rest: list[AtRest] = []

    async def keep(self, store: OpenStore) -> None:
        for kind, size in SIZES.items():
            record = await store.keep((self.marker * (size // 32 + 1))[:size], kind)
            self.records.append(record)
            at_rest = await store.artefacts.at_rest(record)
            assert at_rest is not None
            self.at_rest.append(at_rest)

    def found(self, raw: bytes) -> tuple[int, int, int]:
        """How many of the markers, the keys and the wrapped keys."""
        keys = sum(each.key in raw for each in self.at_rest)
        return raw.count(self.marker), keys, sum(each.wrapped in raw for each in self.at_rest)


async def test_after_a_purge_the_device_holds_no_key_and_never_held_a_word(disk: Device) -> None:
    content = Content()
    async with opened_store(disk.place / "data") as store:
        await content.keep(store)
    raw = disk.raw()
    assert content.found(raw) == (0, 0, len(SIZES))
    assert all(each.ciphertext[:64] in raw for each in content.at_rest)

    async with opened_store(disk.place / "data") as store:
        await store.artefacts.delete(content.records, DeletionReason.DEADLINE, now=LATER)
    assert content.found(disk.raw()) == (0, 0, 0)


async def test_a_reader_that_holds_the_log_keeps_no_key(
    disk: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PRAGMAS, "busy_timeout", 50)
    content = Content()
    async with opened_store(disk.place / "data") as store:
        await content.keep(store)
        store.clock.advance(LATER - NOW)
        sweep = Sweep(store.database, store.artefacts, store.clock, Settings())
        with closing(sqlite3.connect(store.directory.database, isolation_level=None)) as reader:
            with closing(reader.execute("SELECT id FROM artefact")) as cursor:
                assert cursor.fetchone() is not None
                with pytest.raises(PurgeIncomplete):
                    await sweep.run()
            assert await store.artefacts.due(LATER) == []
            await sweep.run()
    assert content.found(disk.raw()) == (0, 0, 0)


async def test_after_kills_in_the_middle_of_purges_and_recovery_no_key_is_left(
    disk: Device,
) -> None:
    needed(kernel_asks(), "this kernel has no seccomp listener")
    folder = disk.place / "site"
    folder.mkdir()
    await install(settings_in(folder), FakeClock())
    keys: list[bytes] = []
    with_keys = 0
    with Purgers() as purgers:
        for number in (450, 500, 550, 600, 650, 700):
            ended = purgers.run(folder, Injection(number, KILL, CALLS))
            assert ended.status == -9 and ended.keys
            keys += ended.keys
            with_keys += any(key in disk.raw() for key in ended.keys)
            assert await recover(folder) == []
    raw = disk.raw()
    assert with_keys > 0
    assert not any(key in raw for key in keys)
    assert not any(marker in raw for marker in MARKERS)
