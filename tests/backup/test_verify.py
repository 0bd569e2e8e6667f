"""Verifying needs no installation, and finds what is wrong behind right sums too."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from onprem.config.settings import Settings
from onprem.core.backup import Manifest, sealed
from onprem.core.checkpoint import ChainTip
from onprem.services.backup.verify import verify
from onprem.store import backup_file
from onprem.store.master_key import MasterKey
from tests.support.backups import back_up, key_file_of
from tests.support.clock import FakeClock
from tests.support.history import history
from tests.support.server import install, settings_in


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def settings(tmp_path: Path, clock: FakeClock) -> Settings:
    (tmp_path / "site").mkdir()
    settings = settings_in(tmp_path / "site")
    await install(settings, clock)
    async with history(settings, clock) as going:
        for step in ("submit", "claim", "succeed", "upload", "submit"):
            await going.do(step)
    return settings


@pytest.fixture
async def file(settings: Settings, clock: FakeClock, tmp_path: Path) -> Path:
    path = tmp_path / "onprem.tar"
    await back_up(settings, clock, path)
    return path


async def test_it_says_what_it_holds_and_how_old_it_is(
    settings: Settings, clock: FakeClock, file: Path
) -> None:
    master = MasterKey.read(key_file_of(settings))
    verdict = await verify(file, wall=clock.wall() + 7200, master=master)
    assert (verdict.sound, verdict.problems, verdict.opens) == (True, [], True)
    assert verdict.age_seconds == 7200
    assert verdict.bytes == file.stat().st_size
    assert verdict.backup is not None
    manifest = verdict.backup.body
    counts = manifest.counts
    assert (counts["project"], counts["api_key"], counts["job"]) == (1, 1, 2)
    assert (counts["media"], counts["idempotency"], counts["free_slot"]) == (0, 0, 0)
    assert counts["ledger"] == manifest.ledger.size > 2
    assert manifest.created_at == manifest.wall == clock.now()


async def test_the_wrong_master_key_is_told(clock: FakeClock, file: Path) -> None:
    verdict = await verify(file, wall=clock.wall(), master=MasterKey(bytes(32)))
    assert (verdict.sound, verdict.opens) == (False, False)
    assert verdict.problems == ["the master key that was given does not open it"]


async def test_without_a_key_nobody_says_whether_one_opens_it(clock: FakeClock, file: Path) -> None:
    verdict = await verify(file, wall=clock.wall())
    assert verdict.sound and verdict.opens is None


def remade(
    file: Path,
    spoil: str = "",
    change: Callable[[Manifest], Manifest] = lambda manifest: manifest,
) -> Path:
    """The same with another database or manifest, and with sums to match."""
    folder = file.parent / "remade"
    folder.mkdir()
    found = backup_file.unpack(file, folder / "store.sqlite3")
    with closing(sqlite3.connect(folder / "store.sqlite3")) as database:
        database.executescript(spoil)
    parts = [backup_file.part_of(folder / "store.sqlite3", "store.sqlite3")]
    manifest = change(msgspec.structs.replace(found.sealed.body, parts=parts))
    path = file.parent / "remade.tar"
    backup_file.write(path, sealed(manifest, bytes(32)), [folder / "store.sqlite3"], made_at=1)
    return path


EDIT = "DROP TRIGGER ledger_entries_never_change; UPDATE ledger SET at = at + 1 WHERE seq = 2;"
REMOVE = "DROP TRIGGER ledger_keeps_its_entries; DELETE FROM ledger WHERE seq = 2;"
LAST = (
    "DROP TRIGGER ledger_keeps_its_entries;"
    "DELETE FROM ledger WHERE seq = (SELECT max(seq) FROM ledger);"
)
OTHER = "its database holds something else than its manifest says"


@pytest.mark.parametrize(
    ("spoil", "problems"),
    [
        (EDIT, ["the ledger is broken at entry 2"]),
        (REMOVE, [OTHER, "the ledger is broken at entry 2"]),
        (LAST, [OTHER]),
        ("INSERT INTO free_slot VALUES (1);", [OTHER]),
        (
            "PRAGMA foreign_keys = OFF; UPDATE job SET project_id = 'x';",
            ["a row of job refers to a row of project that is not there"] * 2,
        ),
    ],
    ids=["changed", "removed", "cut off", "an extra row", "a lost row"],
)
async def test_a_database_that_was_tampered_with(
    clock: FakeClock, file: Path, spoil: str, problems: list[str]
) -> None:
    verdict = await verify(remade(file, spoil), wall=clock.wall())
    assert (verdict.sound, verdict.problems) == (False, problems)


async def test_a_manifest_that_promises_more(clock: FakeClock, file: Path) -> None:
    def change(manifest: Manifest) -> Manifest:
        tip = ChainTip(manifest.ledger.size + 1, manifest.ledger.digest)
        return msgspec.structs.replace(manifest, ledger=tip)

    verdict = await verify(remade(file, change=change), wall=clock.wall())
    assert verdict.problems == [OTHER]


async def test_a_newer_onprem_s(clock: FakeClock, file: Path) -> None:
    def change(manifest: Manifest) -> Manifest:
        return msgspec.structs.replace(manifest, schema=99)

    path = remade(file, "PRAGMA user_version = 99;", change)
    verdict = await verify(path, wall=clock.wall())
    assert verdict.problems == ["The database has schema version 99; this onprem knows up to 1."]


async def test_what_is_no_backup(tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(b"x" * 5000)
    verdict = await verify(tmp_path / "x.tar", wall=0.0)
    assert not verdict.sound and verdict.backup is None
    assert verdict.problems == ["where its manifest.json should begin, something else stands"]


async def test_it_leaves_nothing_behind(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    assert (await verify(file, wall=0.0)).sound
    assert list((tmp_path / "temporary").iterdir()) == []
