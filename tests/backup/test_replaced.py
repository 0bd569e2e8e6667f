"""Restoring over what is there: its ledger is evidence, its content goes, and nothing is undone."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from onprem.config.settings import Settings
from onprem.core.project import ProjectSettings
from onprem.core.receipt import DeletionMethod
from onprem.errors import (
    AnchorsUnusable,
    BackupUnusable,
    DataDirectoryBusy,
    LedgersDiffer,
    LedgerUnreadable,
    MasterKeyUnusable,
    OnpremError,
    StoreBusy,
)
from onprem.services.backup.prepare import prepared
from onprem.services.invariants import violations as every_violation
from onprem.services.keys import Keys, Scope
from onprem.services.projects import Projects
from onprem.store import free_slots, jobs, ledger, migrate, projects, swap
from onprem.store.master_key import MasterKey
from onprem.store.slots import SLOT_BYTES
from tests.support.backups import (
    back_up,
    directory_of,
    elsewhere,
    key_file_of,
    opened,
    restore,
    verification,
    violations,
)
from tests.support.clock import FakeClock
from tests.support.history import History, history
from tests.support.people import OPERATOR
from tests.support.server import install, settings_in
from tests.support.store import bytes_below


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "onprem.tar"


@pytest.fixture
async def settings(tmp_path: Path, clock: FakeClock) -> Settings:
    (tmp_path / "site").mkdir()
    settings = settings_in(tmp_path / "site")
    await install(settings, clock)
    return settings


async def live(going: History, *steps: str) -> None:
    for step in steps:
        await going.do(step)


async def snapshot(settings: Settings, to: Path) -> None:
    shutil.copytree(settings.storage.data_dir, to)


async def test_a_newer_ledger_is_kept_and_the_content_that_came_since_goes(
    settings: Settings, clock: FakeClock, file: Path
) -> None:
    async with history(settings, clock) as going:
        await live(going, "submit", "claim", "succeed", "upload")
    await back_up(settings, clock, file)
    async with history(settings, clock) as going:
        later = await going.submit()
        await live(going, "upload", "claim")

    outcome = await restore(settings, clock, file)

    # An output, media that was replaced since but for its receipt, newer media, a request: some
    # of them with destinations.
    assert outcome.deleted >= 3
    assert outcome.absent == 1  # the worker copy of a run that the stop ended
    directory = directory_of(settings)
    assert list(directory.blobs.iterdir()) == []
    async with opened(settings) as database:
        job = await jobs.get(database, later, (await projects.every(database))[0].id)
        receipts = await ledger.receipts(database, "body ->> 'reason' = 'restored_from_backup'")
    assert job is not None and job.error_code == "restored_from_backup"
    methods = {receipt.method for receipt in receipts}
    assert methods == {DeletionMethod.KEY_OVERWRITTEN, DeletionMethod.MEMORY_FREED}
    assert len(receipts) == outcome.deleted + outcome.absent
    assert await violations(settings, clock) == []
    assert (await verification(settings, clock)).intact
    async with history(settings, clock) as going:
        await live(going, "submit", "claim", "succeed")
    assert await violations(settings, clock) == []


async def test_its_settings_come_back_and_what_was_revoked_or_erased_stays_so(
    settings: Settings, clock: FakeClock, file: Path
) -> None:
    async with history(settings, clock) as going:
        erased = await going.create_project()
        await Projects(going.database, clock).change(
            "default", {"outputRetention": 60}, actor=OPERATOR
        )
    await back_up(settings, clock, file)
    async with history(settings, clock) as going:
        await Projects(going.database, clock).change(
            "default", {"outputRetention": 90}, actor=OPERATOR
        )
        assert await going.erase_project() == erased
        revoked = await going.revoke_key()
        added = await going.create_project()

    outcome = await restore(settings, clock, file)

    assert (outcome.revoked, outcome.erased) == (1, 1)
    async with opened(settings) as database:
        known = await projects.every(database)
        rows = await database.fetchall("SELECT id, revoked_at IS NOT NULL FROM api_key")
    assert [each.id for each in known][1:] == [added]
    assert known[0].settings == ProjectSettings(output_retention=60)
    assert rows == [(revoked, 1)]
    assert await violations(settings, clock) == []


async def test_an_older_state_of_the_same_installation_is_replaced(
    settings: Settings, clock: FakeClock, file: Path, tmp_path: Path
) -> None:
    """Its artefacts end with receipts too, unless the backup's ledger has them."""
    async with history(settings, clock) as going:
        await live(going, "submit", "claim", "succeed", "upload", "submit")
    await snapshot(settings, tmp_path / "older")
    async with history(settings, clock) as going:
        await live(going, "upload", "claim", "succeed", "delete_job", "submit")
    await back_up(settings, clock, file)
    shutil.rmtree(settings.storage.data_dir)
    shutil.move(tmp_path / "older", settings.storage.data_dir)

    outcome = await restore(settings, clock, file)

    assert outcome.deleted >= 1 and outcome.absent >= 1
    assert await violations(settings, clock) == []
    async with history(settings, clock):
        pass
    assert await violations(settings, clock) == []
    assert (await verification(settings, clock)).intact


async def test_keys_whose_database_was_moved_away_are_erased(
    settings: Settings, clock: FakeClock, file: Path
) -> None:
    async with history(settings, clock) as going:
        await live(going, "submit", "claim", "succeed")
    await back_up(settings, clock, file)
    async with history(settings, clock) as going:
        await live(going, "upload", "submit")
    directory = directory_of(settings)
    directory.database.rename(directory.root.parent / "evidence.sqlite3")

    outcome = await restore(settings, clock, file)

    assert outcome.deleted == 1
    assert not any(directory.slots.read_bytes())
    assert list(directory.blobs.iterdir()) == []
    async with opened(settings) as database:
        every = set(range(len(directory.slots.read_bytes()) // SLOT_BYTES))
        assert await free_slots.every(database) == every
    assert await violations(settings, clock) == []
    async with history(settings, clock) as going:
        await live(going, "submit", "upload")
    assert await violations(settings, clock) == []


async def test_names_in_the_old_database_are_overwritten(
    settings: Settings, clock: FakeClock, file: Path
) -> None:
    await back_up(settings, clock, file)
    async with history(settings, clock) as going:
        await live(going, "upload")
    directory = directory_of(settings)
    with directory.database.open("rb") as replaced:
        assert b"0.wav" in replaced.read() or b"1.wav" in directory.database.read_bytes()
        await restore(settings, clock, file)
        replaced.seek(0)
        assert not any(replaced.read())


async def test_a_missing_record_key_file_is_made(
    settings: Settings, clock: FakeClock, file: Path
) -> None:
    """The volume of the keys is lost: that is what backups are for."""
    async with history(settings, clock) as going:
        await live(going, "submit", "claim", "succeed", "upload")
    await back_up(settings, clock, file)
    shutil.rmtree(settings.keys_dir)
    outcome = await restore(settings, clock, file)
    assert outcome.deleted == 0 and outcome.absent >= 2
    assert await violations(settings, clock) == []
    async with history(settings, clock) as going:
        await live(going, "submit", "upload")
    assert await violations(settings, clock) == []


async def test_an_older_schema_is_migrated(
    settings: Settings, clock: FakeClock, file: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    async with history(settings, clock) as going:
        await live(going, "submit")
    await back_up(settings, clock, file)
    steps = [*migrate.migrations(), "ALTER TABLE project ADD COLUMN later TEXT;"]
    monkeypatch.setattr(migrate, "migrations", lambda: steps)
    new = elsewhere(settings, tmp_path / "new")
    await restore(new, clock, file)
    async with opened(new) as database:
        assert await migrate.schema_version(database) == len(steps)
        assert await database.fetchall("SELECT later FROM project") == [(None,)]
    assert await violations(new, clock) == []


async def test_a_newer_schema_is_refused(
    settings: Settings, clock: FakeClock, file: Path, monkeypatch: Any
) -> None:
    await back_up(settings, clock, file)
    monkeypatch.setattr(migrate, "migrations", lambda: [])
    with pytest.raises(BackupUnusable, match="schema version 1; this onprem knows up to 0"):
        await restore(elsewhere(settings, file.parent / "new"), clock, file)


# -- what is refused ---------------------------------------------------------------------------


async def refuses(
    settings: Settings, clock: FakeClock, file: Path, error: type[OnpremError], text: str
) -> None:
    """Nothing is changed but the times of files."""
    before = bytes_below(settings.storage.data_dir)
    with pytest.raises(error, match=text):
        await restore(settings, clock, file)
    assert bytes_below(settings.storage.data_dir) == before
    assert not directory_of(settings).staging.exists()


async def test_two_histories_of_one_installation(
    settings: Settings, clock: FakeClock, file: Path, tmp_path: Path
) -> None:
    await back_up(settings, clock, file)
    new = elsewhere(settings, tmp_path / "new")
    await restore(new, clock, file)
    async with history(settings, clock) as going:
        await live(going, "create_key")
    await back_up(settings, clock, tmp_path / "later.tar")
    text = "their ledgers are two histories"
    await refuses(new, clock, tmp_path / "later.tar", LedgersDiffer, text)


async def test_another_installation(
    settings: Settings, clock: FakeClock, file: Path, tmp_path: Path
) -> None:
    await back_up(settings, clock, file)
    (tmp_path / "other").mkdir()
    other = settings_in(tmp_path / "other")
    await install(other, clock)
    await refuses(other, clock, file, MasterKeyUnusable, "made with another one")
    key_file_of(other).write_bytes(key_file_of(settings).read_bytes())
    await refuses(other, clock, file, LedgersDiffer, "did not come from this backup")


async def test_a_server_that_runs(settings: Settings, clock: FakeClock, file: Path) -> None:
    await back_up(settings, clock, file)
    async with history(settings, clock):
        with pytest.raises(DataDirectoryBusy):
            await restore(settings, clock, file)


async def test_somebody_who_reads_the_database(
    settings: Settings, clock: FakeClock, file: Path, monkeypatch: Any
) -> None:
    await back_up(settings, clock, file)
    monkeypatch.setitem(swap.PRAGMAS, "busy_timeout", 10)
    async with opened(settings) as database:
        names = await database.fetchall("SELECT name FROM project")
        with pytest.raises(StoreBusy):
            await restore(settings, clock, file)
        assert await database.fetchall("SELECT name FROM project") == names
    await restore(settings, clock, file)


async def test_somebody_who_writes_to_the_database_meanwhile(
    settings: Settings, clock: FakeClock, file: Path
) -> None:
    """A command takes no lock; its act would be lost."""
    await back_up(settings, clock, file)
    async with prepared(file, settings, key_file_of(settings), clock) as ready:
        async with opened(settings) as database:
            issued = await Keys(database, clock).issue(
                "default", "late", [Scope.JOBS_READ], actor=OPERATOR
            )
        with pytest.raises(StoreBusy):
            await ready.carry_out(actor=OPERATOR)
    async with opened(settings) as database:
        keys = await Keys(database, clock).every()
    assert issued.stored in keys
    await restore(settings, clock, file)


def spoil(settings: Settings, sql: str) -> None:
    with closing(sqlite3.connect(directory_of(settings).database)) as database:
        database.executescript(sql)


BREAK_LEDGER = (
    "DROP TRIGGER ledger_entries_never_change; UPDATE ledger SET body = '{}' WHERE seq = 1;"
)


@pytest.mark.parametrize(
    ("damage", "text"),
    [
        (lambda settings: spoil(settings, BREAK_LEDGER), "the ledger is broken at entry 1"),
        (
            lambda settings: directory_of(settings).database.write_bytes(b"garbage" * 999),
            "the database cannot be read",
        ),
        (lambda settings: _away(settings), "onprem.sqlite3-wal is there without it"),
    ],
    ids=["a broken ledger", "no database", "a log without its database"],
)
async def test_a_ledger_that_cannot_be_kept(
    settings: Settings,
    clock: FakeClock,
    file: Path,
    damage: Callable[[Settings], object],
    text: str,
) -> None:
    await back_up(settings, clock, file)
    damage(settings)
    await refuses(settings, clock, file, LedgerUnreadable, text)


def _away(settings: Settings) -> None:
    database = directory_of(settings).database
    database.rename(database.with_name("onprem.sqlite3-wal"))


async def test_a_backup_that_was_made_without_the_master_key(
    settings: Settings, clock: FakeClock, file: Path
) -> None:
    """Right down to its sums, it would let whoever made it in."""
    monkey = MasterKey(bytes(32))
    with pytest.MonkeyPatch.context() as patch:
        derive = MasterKey.derive

        def other(self: MasterKey, purpose: str) -> bytes:
            return derive(monkey if purpose == "backups" else self, purpose)

        patch.setattr(MasterKey, "derive", other)
        await back_up(settings, clock, file)
    text = "somebody without the master key made or changed it"
    await refuses(settings, clock, file, BackupUnusable, text)


async def test_a_damaged_backup(settings: Settings, clock: FakeClock, file: Path) -> None:
    await back_up(settings, clock, file)
    file.write_bytes(file.read_bytes()[:-5000])
    await refuses(settings, clock, file, BackupUnusable, "it ends in the middle of")
    await refuses(settings, clock, file.with_name("none"), BackupUnusable, "No such file")


async def test_checkpoints_of_somebody_else(
    settings: Settings, clock: FakeClock, file: Path, tmp_path: Path
) -> None:
    await back_up(settings, clock, file)
    (tmp_path / "other").mkdir()
    other = settings_in(tmp_path / "other")
    await install(other, clock)
    await back_up(other, clock, tmp_path / "other.tar")
    await restore(other, clock, tmp_path / "other.tar")
    async with opened(other) as database:
        (document,) = (await database.fetchall("SELECT document FROM checkpoint"))[0]
    for content, text in ((document, "was signed by the installation"), ("\n", "there is none")):
        (tmp_path / "anchors").write_text(content)
        with pytest.raises(AnchorsUnusable, match=text):
            await restore(settings, clock, file, anchors=tmp_path / "anchors")


async def test_a_plan_changes_nothing(settings: Settings, clock: FakeClock, file: Path) -> None:
    await back_up(settings, clock, file)
    async with history(settings, clock) as going:
        await live(going, "submit", "upload")
    before = bytes_below(settings.storage.data_dir)
    async with prepared(file, settings, key_file_of(settings), clock) as ready:
        replaces = ready.plan.replaces
    assert replaces is not None
    assert replaces.ledger_kept and replaces.newer_entries >= 1
    assert (replaces.holds.projects, replaces.holds.keys, replaces.holds.jobs) == (1, 1, 1)
    assert replaces.holds.artefacts >= 2
    assert bytes_below(settings.storage.data_dir) == before
    assert msgspec.json.encode(ready.plan)


async def test_what_a_killed_restore_left_is_taken_away_by_the_next_start(
    settings: Settings, clock: FakeClock
) -> None:
    directory = directory_of(settings)
    directory.staging.mkdir()
    (directory.staging / "onprem.sqlite3").write_bytes(b"half of one")
    async with opened(settings) as database:
        (found,) = await every_violation(database, directory, clock.now(), serving=False)
    assert found.left_over
    async with history(settings, clock):
        assert not directory.staging.exists()
    assert await violations(settings, clock) == []
